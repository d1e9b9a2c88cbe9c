import Checkpoint
import Inference
import Model
import Parameters
import Preparation
import Text

/// A trained model on its way into another program's form.
package struct ExportedModel: Sendable {
    /// The checkpoint that the model was loaded from.
    package let checkpoint: CheckpointFolder
    /// The facts that the checkpoint holds about itself.
    package let facts: CheckpointFacts
    /// The tokenizer that the model was trained with.
    package let tokenizer: Tokenizer
    /// The model's layout.
    package let transformer: Transformer
    /// The parameters, in the order of `layout`.
    package let parameters: ParameterVector
    /// The text of every id. Ids that the tokenizer lacks have names that no piece has.
    package let pieces: [String]

    /// Takes a loaded model. Throws: `CheckpointError`, `TextError`.
    package init(_ model: TrainedModel) throws {
        checkpoint = model.checkpoint.folder
        facts = try CheckpointFacts(checkpoint)
        tokenizer = model.tokenizer
        transformer = model.transformer
        parameters = model.parameters
        var pieces = try tokenizer.allPieces()
        let known = Set(pieces)
        var next = 0
        while pieces.count < transformer.architecture.vocabulary {
            let name = "<unused\(next)>"
            next += 1
            if !known.contains(name) { pieces.append(name) }
        }
        self.pieces = pieces
    }

    /// The model's sizes and choices.
    package var architecture: Architecture { transformer.architecture }

    /// The place of a tensor that the model's choices imply.
    package func slot(_ name: String) -> Slot {
        guard let slot = transformer.layout[name] else {
            preconditionFailure("the model has no \(name)")
        }
        return slot
    }

    /// The tokenizer as a file of that name; of a model that was Marian's, its own three files.
    func tokenizerFiles(_ name: String) -> [ExportedFile] {
        guard let marian = tokenizer.marian else { return [ExportedFile(name, tokenizer.model)] }
        return [
            ExportedFile("source.spm", marian.source), ExportedFile("target.spm", marian.target),
            ExportedFile("vocab.json", marian.vocabulary),
        ]
    }

    /// The ids that the model is never taught to say, and that dtrain never generates: pad and begin
    /// marks, and those without a piece.
    package var unsaid: [Int] {
        [Int(Tokenizer.pad), Int(Tokenizer.begin)]
            + Array(tokenizer.vocabulary..<max(tokenizer.vocabulary, architecture.vocabulary))
    }
}
