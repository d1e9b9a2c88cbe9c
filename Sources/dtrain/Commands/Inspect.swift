import ArgumentParser
import Model
import Runtime

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Shows step, architecture, every tensor and the digest of a checkpoint.",
        discussion: """
            EXAMPLES
              dtrain inspect
              dtrain inspect runs/latest/checkpoints/step-000200 --json
            """)

    @Argument(help: "A run, of which the newest checkpoint is taken, or a checkpoint.")
    var folder = RunLocation.latest

    @Flag(help: "Print one line of JSON.")
    var json = false

    func run() throws {
        let inspection = try Inspection(folder)
        sayPassedOver(inspection.found)
        if json { return try StandardOutput.write(json: InspectionReport(inspection)) }
        let architecture = inspection.architecture
        try StandardOutput.write(
            """
            checkpoint    \(inspection.path)
            step          \(inspection.step), epoch \(inspection.epoch), \
            \(inspection.updates) updates
            digest        \(inspection.digest)
            parameters    \(grouped(inspection.parameters))
            architecture  \(architecture.kind.rawValue), d-model \(architecture.dModel), \
            layers \(architecture.encoderLayers) + \(architecture.decoderLayers), \
            d-ff \(architecture.dFF), heads \(architecture.heads), \
            \(architecture.norm.rawValue) norm, \(architecture.activation.rawValue), \
            dropout \(architecture.dropout)
            vocabulary    \(grouped(architecture.vocabulary)), positions \(architecture.positions)
            written by    \(inspection.software)


            """ + table(inspection))
    }

    private func table(_ inspection: Inspection) -> String {
        let rows =
            [("TENSOR", "SHAPE", "NUMBERS")]
            + inspection.tensors.map {
                ($0.name, $0.shape.map(String.init).joined(separator: " × "), grouped($0.count))
            }
        let width = rows.map { $0.0.count }.max() ?? 0
        let shape = rows.map { $0.1.count }.max() ?? 0
        let numbers = rows.map { $0.2.count }.max() ?? 0
        return rows.map {
            "\(padded($0.0, width))  \(padded($0.1, shape))  \(padded($0.2, -numbers))\n"
        }.joined()
    }
}

/// The line of JSON; CONTRACT fixes the first four keys.
private struct InspectionReport: Encodable {
    struct Settings: Encodable {
        let kind, norm, activation: String
        let dModel, encoderLayers, decoderLayers, dFF, heads, vocabulary, positions: Int
        let dropout: Float

        enum CodingKeys: String, CodingKey {
            case kind, norm, activation, heads, vocabulary, positions, dropout
            case dModel = "d_model"
            case encoderLayers = "encoder_layers"
            case decoderLayers = "decoder_layers"
            case dFF = "d_ff"
        }

        init(_ architecture: Architecture) {
            kind = architecture.kind.rawValue
            norm = architecture.norm.rawValue
            activation = architecture.activation.rawValue
            dModel = architecture.dModel
            encoderLayers = architecture.encoderLayers
            decoderLayers = architecture.decoderLayers
            dFF = architecture.dFF
            heads = architecture.heads
            vocabulary = architecture.vocabulary
            positions = architecture.positions
            dropout = architecture.dropout
        }
    }

    struct Tensor: Encodable {
        let name: String
        let shape: [Int]
    }

    let step: Int
    let digest: String
    let parameters: Int
    let architecture: Settings
    let epoch: Int
    let updates: Int
    let checkpoint: String
    let software: String
    let configuration: RunConfiguration
    let tensors: [Tensor]

    init(_ inspection: Inspection) {
        step = inspection.step
        digest = inspection.digest
        parameters = inspection.parameters
        architecture = Settings(inspection.architecture)
        epoch = inspection.epoch
        updates = inspection.updates
        checkpoint = inspection.path
        software = inspection.software
        configuration = inspection.configuration
        tensors = inspection.tensors.map { Tensor(name: $0.name, shape: $0.shape) }
    }
}
