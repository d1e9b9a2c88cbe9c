import Foundation
import Model
import Parameters
import Preparation
import Settings
import TestKit
import Testing

@Suite("Parameters to start from")
struct FirstParametersTests {
    @Test func `a run's newest checkpoint and its safetensors file give the same parameters`()
        throws
    {
        let folder = try TemporaryFolder()
        let run = try TrainedRun(
            in: folder, steps: [1, 3],
            settings: [(.normalisation, "batch"), (.positionEncoding, "learned")])
        let layout = run.prepared.model.layout
        let (first, second) = (
            ParameterVector(count: layout.count), ParameterVector(count: layout.count)
        )
        try FirstParameters(run.path).load(layout, into: first)
        try FirstParameters(run.checkpoint(3) + "/model.safetensors").load(layout, into: second)
        #expect(first.floats() == second.floats() && first.floats().contains { $0 != 0 })
    }

    @Test(arguments: [
        (Setting.activation, "swiglu"), (.normalisation, "rms"), (.tying, "none"),
        (.layers, "2"), (.positionEncoding, "relative"), (.shareQueryKey, "true"),
    ])
    func `a file of another model is refused`(setting: Setting, text: String) throws {
        let folder = try TemporaryFolder()
        let run = try TrainedRun(in: folder, steps: [1])
        var configuration = run.prepared.configuration.yaml.split(separator: "\n").filter {
            !$0.hasPrefix("\(setting.rawValue):")
        }
        configuration.append("\(setting.rawValue): \(text)")
        let other = try RunConfiguration(
            GivenSettings(yaml: configuration.joined(separator: "\n"), path: "a.yaml"))
        let model = try Transformer(
            Architecture(other, vocabulary: run.prepared.tokenizer.vocabulary))
        let parameters = ParameterVector(count: model.layout.count)
        #expect(throws: (any Error).self) {
            try FirstParameters(run.checkpoint(1) + "/model.safetensors")
                .load(model.layout, into: parameters)
        }
    }
}
