import Checkpoint
import Foundation
import Parameters
import Text

/// What a run's folder and its checkpoints keep of the text that the run began with.
package struct SavedText: Codable, Equatable, Sendable {
    package let fingerprint: TextFingerprint
    /// XXH3-128 of the tokenizer's model, 32 hexadecimal digits.
    package let tokenizer: String

    init(_ trace: TextTrace, _ tokenizer: Tokenizer) {
        fingerprint = trace.fingerprint
        self.tokenizer = Self.digest(of: tokenizer.model)
    }

    /// As the run's folder keeps it.
    package var encoded: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else {
            preconditionFailure("a fingerprint has no form in JSON")
        }
        return [UInt8](data) + [0x0A]
    }

    static func digest(of model: [UInt8]) -> String {
        model.withUnsafeBytes { "\(FastDigest(block: $0))" }
    }
}

/// What is known of the text of a run that goes on, or is verified.
package enum TextMemory: Equatable, Sendable {
    case saved(SavedText)
    /// The run was begun by a version that kept nothing of it, and by the first rules.
    case none

    package var rules: TextRules {
        switch self {
        case .saved(let text): text.fingerprint.rules
        case .none: .first
        }
    }

    /// Of the checkpoint that a run goes on from, or else of its folder.
    ///
    /// Throws: `damaged` for a folder's file that cannot be read, without a checkpoint.
    package init(_ paths: RunPaths, _ checkpoint: CheckpointFolder?) throws(CheckpointError) {
        if let checkpoint {
            self = CheckpointFacts.text(of: checkpoint.state).map(TextMemory.saved) ?? .none
            return
        }
        guard FileManager.default.fileExists(atPath: paths.fingerprint) else {
            self = .none
            return
        }
        let text = Data(try paths.text(paths.fingerprint).utf8)
        guard let saved = try? JSONDecoder().decode(SavedText.self, from: text) else {
            throw .damaged(path: paths.fingerprint, damage: .state)
        }
        self = .saved(saved)
    }

    /// Throws unless the text is the one that the run began with: `otherText`.
    package func check(_ trace: TextTrace) throws(TextError) {
        guard case .saved(let text) = self else { return }
        if let difference = trace.difference(from: text.fingerprint) {
            throw .otherText(difference)
        }
    }

    /// Throws unless the tokenizer is the one that the run began with: `otherTokenizer`.
    func check(_ tokenizer: Tokenizer, file: String) throws(TextError) {
        guard case .saved(let text) = self else { return }
        if text.tokenizer != SavedText.digest(of: tokenizer.model) {
            throw .otherTokenizer(file: file)
        }
    }
}
