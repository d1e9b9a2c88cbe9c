import ArgumentParser
import Checkpoint
import Foundation
import Inference
import Model
import Preparation
import Settings
import Words

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Shows step, architecture, every tensor and the digest of a checkpoint.",
        discussion: """
            EXAMPLES
              dtrain inspect
              dtrain inspect runs/latest/checkpoints/step-000200 --json
              dtrain inspect runs/latest --attention 'Where are you?' --heat-map attention.svg
            """)

    @Argument(help: "A run, of which the newest checkpoint is taken, or a checkpoint.")
    var folder = RunLocation.latest

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Show which of its words each output word looked at, per layer and head.",
            valueName: "sentence"))
    var attention: String?

    @Option(help: ArgumentHelp("Draw --attention as a heat map.", valueName: "file.svg|file.html"))
    var heatMap: String?

    @Flag(help: "Print one line of JSON.")
    var json = false

    func run() throws {
        _ = try heatMap.map { try Failure.path("--heat-map", $0) }
        if let attention { return try show(attention) }
        guard heatMap == nil else {
            throw Failure.usage(.heatMapWithoutAttention)
        }
        let inspection = try Inspection(Failure.path("the folder", folder))
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
            \(architecture.norm.rawValue) \(architecture.normalisation.rawValue) norm, \
            \(architecture.finalNorm ? "" : "no final norm, ")\
            \(architecture.outputBias ? "output bias, " : "")\
            \(architecture.activation.rawValue), \
            \(architecture.positionEncoding.rawValue) positions, dropout \(architecture.dropout)
            vocabulary    \(grouped(architecture.vocabulary)), positions \(architecture.positions)
            precision     \(inspection.configuration.optimizer.precision.rawValue)
            written by    \(inspection.software), arithmetic \(inspection.arithmetic)


            """ + table(inspection))
    }

    private func show(_ sentence: String) throws {
        if let heatMap, !heatMap.hasSuffix(".svg"), !heatMap.hasSuffix(".html") {
            throw Failure.usage(.takes("--heat-map", .drawing, not: heatMap))
        }
        let model = try TrainedModel(Failure.path("the folder", folder))
        sayPassedOver(model.checkpoint)
        let view = try naming("--attention") { try model.attention(sentence) }
        if let heatMap {
            let picture = HeatMap(view: view)
            let text = heatMap.hasSuffix(".svg") ? picture.svg : picture.html
            try WholeFile.write(text, to: heatMap)
        }
        try json ? StandardOutput.write(json: view) : StandardOutput.write(view.table)
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
    struct Tensor: Encodable {
        let name: String
        let shape: [Int]
    }

    let step: Int
    let digest: String
    let parameters: Int
    let architecture: ArchitectureReport
    let epoch: Int
    let updates: Int
    let checkpoint: String
    let software: String
    let arithmetic: Int
    let configuration: RunConfiguration
    let tensors: [Tensor]

    init(_ inspection: Inspection) {
        step = inspection.step
        digest = inspection.digest
        parameters = inspection.parameters
        architecture = ArchitectureReport(inspection.architecture)
        epoch = inspection.epoch
        updates = inspection.updates
        checkpoint = inspection.path
        software = inspection.software
        arithmetic = inspection.arithmetic
        configuration = inspection.configuration
        tensors = inspection.tensors.map { Tensor(name: $0.name, shape: $0.shape) }
    }
}
