import Kernels
import Parameters

/// A primitive that the tape can record; each case carries what its way back needs.
enum Primitive {
    case embedding(EmbeddingStep)
    case linear(LinearStep)
    case activation(ActivationStep)
    case gate(GateStep)
    case rotation(RotationStep)
    case attention(AttentionStep)
    case norm(NormStep)
    case residual(ResidualStep)
    case sum(SumStep)
    /// In the forward pass all parameters before this offset have been used for the first time.
    case milestone(Int)

    func backward(_ tape: Tape) {
        switch self {
        case .embedding(let step): step.backward(tape)
        case .linear(let step): step.backward(tape)
        case .activation(let step): step.backward(tape)
        case .gate(let step): step.backward(tape)
        case .rotation(let step): step.backward(tape)
        case .attention(let step): step.backward(tape)
        case .norm(let step): step.backward(tape)
        case .residual(let step): step.backward(tape)
        case .sum(let step): step.backward(tape)
        case .milestone: break
        }
    }
}

/// y = (√d · table[ids] + positions) ∘ mask.
struct EmbeddingStep {
    let ids: Indices
    let offsets: Offsets
    let table: Weight
    /// Learned positions.
    let positions: Weight?
    let scale: Float
    let mask: Mask?
    let output: Variable

    func backward(_ tape: Tape) {
        let dy = tape.take(output)
        let dTable = tape.summedSlot(table)
        tape.measure(.embeddingBackward, floats: 3 * dy.count) {
            Embedding.backward(dy, ids, scale: scale, mask: mask, dTable: dTable)
        }
        if let positions {
            Embedding.positionsBackward(
                dy, offsets, mask: mask, dPositions: tape.summedSlot(positions))
        }
        tape.release(dy)
    }
}

extension Tape {
    /// Looks up the ids; without learned positions `vectors` are added. Shapes: ids n → [n, d].
    func embed(
        _ ids: Indices, _ offsets: Offsets, _ weights: InputWeights, vectors: Matrix, scale: Float
    ) -> Variable {
        let table = weights.embedding
        let output = variable(ids.count, table.columns)
        let mask = mask(output.data.count)
        let positions = weights.positions.map { value($0) } ?? vectors
        measure(.embeddingForward, floats: 3 * output.data.count) {
            Embedding.forward(
                ids, offsets, table: value(table), positions: positions, scale: scale, mask: mask,
                into: output.data)
        }
        record(
            .embedding(
                EmbeddingStep(
                    ids: ids, offsets: offsets, table: table, positions: weights.positions,
                    scale: scale, mask: mask, output: output)))
        return output
    }
}

/// y = x·Wᵀ + b; without b where the next primitive adds it.
struct LinearStep {
    let input: Variable
    let weight: Weight
    let bias: Weight?
    let output: Variable

    /// dW = dyᵀ·x; db = column sums of dy; dx = dy·W.
    func backward(_ tape: Tape) {
        let dy = tape.take(output)
        let (dW, dWPresent) = tape.slot(weight)
        let operations = 2 * dy.rows * weight.rows * weight.columns
        let floats = dy.count + input.data.count + weight.rows * weight.columns
        tape.measure(.productWeight, operations: operations, floats: floats) {
            tape.multiplier.transposedTimes(dy, input.data, into: dW, accumulate: dWPresent)
        }
        if let bias {
            let (db, dbPresent) = tape.slot(bias)
            tape.measure(.biasBackward, floats: dy.count) {
                sumColumns(dy, into: db, accumulate: dbPresent)
            }
        }
        let (dx, dxPresent) = tape.contribution(input)
        tape.measure(.productInput, operations: operations, floats: floats) {
            tape.multiplier.times(dy, tape.value(weight), into: dx, accumulate: dxPresent)
        }
        tape.release(dy)
    }
}

extension Tape {
    /// Shapes: x [n, in], W [out, in], b [1, out] → [n, out].
    func linear(_ x: Variable, _ weight: Weight, bias: Weight? = nil) -> Variable {
        let output = variable(x.data.rows, weight.rows)
        let operations = 2 * x.data.rows * weight.rows * weight.columns
        let floats = output.data.count + x.data.count + weight.rows * weight.columns
        measure(.productForward, operations: operations, floats: floats) {
            multiplier.timesTransposed(
                x.data, value(weight), into: output.data, bias: bias.map { value($0) })
        }
        record(.linear(LinearStep(input: x, weight: weight, bias: bias, output: output)))
        return output
    }
}

/// y = f(h + b) ∘ mask; after the forward pass h holds f'(h + b) ∘ mask.
struct ActivationStep {
    let input: Variable
    let bias: Weight
    let output: Variable

    /// dh = dy ∘ slope; db = column sums of dh.
    func backward(_ tape: Tape) {
        let dy = tape.take(output)
        let (db, present) = tape.slot(bias)
        tape.measure(.activationBackward, floats: 3 * dy.count) {
            Activation.backward(dy, slope: input.data, dBias: db, accumulate: present)
        }
        tape.give(dy, to: input)
    }
}

extension Tape {
    /// Consumes `h`: nothing else may read it. Shapes: h [n, d_ff] → [n, d_ff].
    func activate(_ h: Variable, bias: Weight, _ function: Activation) -> Variable {
        let output = variable(h.data.rows, h.data.columns)
        let mask = mask(output.data.count)
        measure(.activationForward, floats: 3 * output.data.count) {
            function.forward(
                h.data, bias: value(bias), mask: mask, into: output.data, keepSlope: isRecording)
        }
        record(.activation(ActivationStep(input: h, bias: bias, output: output)))
        return output
    }
}

/// y = silu(g) ∘ v ∘ mask with (g | v) = h + b; after the forward pass h holds the slopes.
struct GateStep {
    let input: Variable
    let bias: Weight
    let output: Variable

    /// dh = (dy | dy) ∘ slopes; db = column sums of dh.
    func backward(_ tape: Tape) {
        let dy = tape.take(output)
        let (db, present) = tape.slot(bias)
        tape.measure(.activationBackward, floats: 5 * dy.count) {
            GatedActivation.backward(dy, slope: input.data)
            sumColumns(input.data, into: db, accumulate: present)
        }
        tape.release(dy)
        tape.give(input.data, to: input)
    }
}

extension Tape {
    /// Consumes `h`: nothing else may read it. Shapes: h [n, 2·d_ff] → [n, d_ff].
    func gate(_ h: Variable, bias: Weight) -> Variable {
        let output = variable(h.data.rows, h.data.columns / 2)
        let mask = mask(output.data.count)
        measure(.activationForward, floats: 5 * output.data.count) {
            GatedActivation.forward(
                h.data, bias: value(bias), mask: mask, into: output.data, keepSlope: isRecording)
        }
        record(.gate(GateStep(input: h, bias: bias, output: output)))
        return output
    }
}
