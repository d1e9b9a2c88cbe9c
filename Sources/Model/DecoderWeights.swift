import Kernels
import Parameters

/// A decoder's matrices, packed once for its many steps with few rows.
///
/// Read-only, so any number of threads can decode with it. It holds the parameters, which must not
/// change.
package final class DecoderWeights: Sendable {
    let parameters: ParameterVector
    let layers: [Layer]
    let output: PackedOperand

    /// A matrix packed, with its bias.
    struct Projection: Sendable {
        let weight: PackedOperand
        let bias: Matrix
    }

    /// The matrices of a layer: those of cross-attention only where it has one.
    struct Layer: Sendable {
        let input, mixed, first, second: Projection
        let query, cross: Projection?
    }

    /// Packs the decoder of a model, with a `quantisation` as whole numbers.
    package init(
        _ model: Transformer, parameters: ParameterVector, quantisation: Quantisation? = nil
    ) {
        precondition(parameters.count == model.layout.count, "\(parameters.count) parameters")
        func packed(_ weight: Weight) -> PackedOperand {
            PackedOperand(
                parameters.matrix(weight), precision: model.precision, quantisation: quantisation)
        }
        func packed(_ projection: ProjectionWeights) -> Projection {
            Projection(
                weight: packed(projection.weight), bias: parameters.matrix(projection.bias))
        }
        self.parameters = parameters
        layers = model.decoder.layers.map { layer in
            Layer(
                input: packed(layer.attention.input), mixed: packed(layer.attention.output),
                first: packed(layer.first), second: packed(layer.second),
                query: layer.cross.map { packed($0.query) },
                cross: layer.cross.map { packed($0.output) })
        }
        output = packed(model.output)
    }
}
