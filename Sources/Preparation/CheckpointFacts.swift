import Checkpoint
import Foundation
import Kernels
import Model
import Parameters
import Settings
import Text
import Training

/// The facts that dtrain writes into a checkpoint's `state.json` beside the step.
package struct CheckpointFacts: Sendable {
    /// The model's resolved settings, from which its layout follows.
    package var architecture: Architecture
    /// The configuration of the run that wrote it.
    package var configuration: RunConfiguration
    /// The program that wrote it: `dtrain 0.1.0`.
    package var software: String
    /// The fingerprints by which the text is known again; nil in checkpoints of the first version.
    package var text: SavedText?

    /// Makes facts of their parts.
    package init(
        architecture: Architecture, configuration: RunConfiguration, software: String,
        text: SavedText?
    ) {
        self.architecture = architecture
        self.configuration = configuration
        self.software = software
        self.text = text
    }

    /// The facts as `state.json` holds them: `architecture`, `configuration`, `software`, `text`.
    package var json: [String: JSON] {
        var json = [
            "architecture": Self.encode(architecture),
            "configuration": Self.encode(configuration),
            "software": .string(software),
            "arithmetic": .integer(ArithmeticVersion.current),
        ]
        if let text { json["text"] = Self.encode(text) }
        return json
    }

    /// Reads a checkpoint's facts. Throws: `damaged` if they are not there.
    package init(_ folder: CheckpointFolder) throws(CheckpointError) {
        guard let facts = CheckpointFacts(folder.state) else {
            throw .damaged(path: folder.path + "/state.json", damage: .state)
        }
        self = facts
    }

    /// Nil if they are not there, or of a model that cannot be.
    package init?(_ state: CheckpointState) {
        guard
            let architecture: Architecture = Self.decode(state.more["architecture"]),
            let configuration: RunConfiguration = Self.decode(state.more["configuration"]),
            (try? architecture.validate()) != nil
        else { return nil }
        var software = ""
        if case .string(let text)? = state.more["software"] { software = text }
        self.init(
            architecture: architecture, configuration: configuration, software: software,
            text: Self.text(of: state))
    }

    /// Returns the text's fingerprints; nil where the first version wrote the checkpoint.
    static func text(of state: CheckpointState) -> SavedText? { decode(state.more["text"]) }

    private static func encode(_ value: some Encodable) -> JSON {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        guard let data = try? encoder.encode(value),
            let json = try? JSONDecoder().decode(JSON.self, from: data)
        else { preconditionFailure("\(type(of: value)) has no form in JSON") }
        return json
    }

    private static func decode<Value: Decodable>(_ json: JSON?) -> Value? {
        guard let json, let data = try? JSONEncoder().encode(json) else { return nil }
        return try? JSONDecoder().decode(Value.self, from: data)
    }
}

extension CheckpointFolder {
    /// Reads vectors of a model of `layout`, as many sections as there are vectors.
    package func load(
        _ layout: ParameterLayout, into sections: [ParameterVector]
    ) throws(CheckpointError) {
        try read(Array(Section.allCases.prefix(sections.count)), tensors: layout.tensors) {
            (section, element, bytes) throws(CheckpointError) in
            sections[section.rawValue].store(bytes: bytes, at: element)
        }
    }
}

extension Tokenizer {
    /// Reads the tokenizer that a checkpoint was trained with, under its own rules unless others
    /// are given; nil if it holds none. Throws: `CheckpointError`, as `init`.
    package convenience init?(of checkpoint: CheckpointFolder, rules: TextRules? = nil) throws {
        guard let model = try checkpoint.tokenizer() else { return nil }
        let own = CheckpointFacts.text(of: checkpoint.state)?.fingerprint.rules ?? .first
        try self.init(model: model, file: checkpoint.tokenizerPath, rules: rules ?? own)
    }
}
