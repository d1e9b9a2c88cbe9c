import Checkpoint
import Foundation
import Parameters
import Text

/// The fingerprints of a run's first text, as its folder and its checkpoints keep them.
package struct SavedText: Codable, Equatable, Sendable {
    /// The hashes of the text's samples, and the rules by which it was read.
    package let fingerprint: TextFingerprint
    /// XXH3-128 of the tokenizer's model, 32 hexadecimal digits.
    package let tokenizer: String

    init(_ trace: TextTrace, _ tokenizer: Tokenizer) {
        fingerprint = trace.fingerprint
        self.tokenizer = Self.digest(of: tokenizer.model)
    }

    /// The fingerprints as JSON, as the run's folder keeps them.
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

/// The knowledge of the text of a run that goes on, or is verified.
package enum TextMemory: Equatable, Sendable {
    case saved(SavedText)
    /// The run was begun by a version that kept nothing of it, and by the first rules.
    case none
    /// The fingerprints are lost; the run follows the current rules.
    case lost

    /// The rules by which the text is to be read.
    package var rules: TextRules {
        switch self {
        case .saved(let text): text.fingerprint.rules
        case .none: .first
        case .lost: .current
        }
    }

    /// Takes the fingerprints of the checkpoint that a run goes on from, or else of its folder.
    /// Throws: `io`, `newer`.
    package init(_ paths: RunPaths, _ checkpoint: CheckpointFolder?) throws(CheckpointError) {
        if let checkpoint {
            self = CheckpointFacts.text(of: checkpoint.state).map(TextMemory.saved) ?? .none
            return
        }
        switch try Self.inFolder(paths) {
        case .success(let saved): self = .saved(saved)
        case .failure: self = try Self.isOfFirstVersion(paths) ? .none : .lost
        }
    }

    /// Returns the repair that the folder's own file needs, and what its text is checked against
    /// meanwhile. Nil also for a run of the first version, which has no such file. Throws: `io`.
    package static func repair(
        _ paths: RunPaths, _ checkpoint: CheckpointFolder?
    ) throws(CheckpointError) -> Repair? {
        guard case .failure(let loss) = try inFolder(paths) else { return nil }
        switch try TextMemory(paths, checkpoint) {
        case .none: return nil
        case .lost: return .fingerprintLost(why: loss.fault, checkpoint: nil)
        case .saved: return .fingerprintLost(why: loss.fault, checkpoint: checkpoint?.path)
        }
    }

    private struct Loss: Error { let fault: FileFault }

    private static func inFolder(
        _ paths: RunPaths
    ) throws(CheckpointError) -> Result<SavedText, Loss> {
        guard FileManager.default.fileExists(atPath: paths.fingerprint) else {
            return .failure(Loss(fault: .missing))
        }
        let text = try paths.text(paths.fingerprint)
        guard let saved = try? JSONDecoder().decode(SavedText.self, from: Data(text.utf8)) else {
            return .failure(Loss(fault: text.isEmpty ? .empty : .torn))
        }
        return .success(saved)
    }

    /// Whether the first version, whose settings have no format, wrote the folder.
    private static func isOfFirstVersion(_ paths: RunPaths) throws(CheckpointError) -> Bool {
        guard case .success(let file) = try SettingsFile.read(paths.configuration) else {
            return false
        }
        return file.format == nil
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
