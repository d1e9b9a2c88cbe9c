import Model
import Wire

extension Failure {
    /// Settings are checked before a model is made of them, so these are a damaged checkpoint's.
    package init(_ error: ModelError) {
        let words =
            switch error {
            case .notPositive(let setting, let value): "its \(setting) is \(value)"
            case .tooLarge(let setting, let value, let limit):
                "its \(setting) is \(value), above \(limit)"
            case .headsDoNotDivide(let heads, let dModel):
                "its \(heads) heads do not divide d-model \(dModel)"
            case .dropoutOutOfRange(let dropout): "its dropout is \(dropout)"
            case .senseless(.normalisationWithoutNorm): "it has a kind of norm and no norm"
            case .senseless(.finalNormNeeded): "it lacks a final norm without norms before it"
            case .senseless(.tyingWithoutEncoder): "it has a source embedding and no encoder"
            case .senseless(.oddHeadWidth): "its rotary positions have heads of odd width"
            case .tokenOutOfRange(let id, _, let vocabulary):
                "token \(id) is not among its \(vocabulary)"
            case .sequenceTooLong(_, let length, let positions):
                "a sentence of \(length) tokens exceeds its \(positions) positions"
            default: plainWords(error)
            }
        self = .data("the model does not fit: \(words), take another checkpoint")
    }
}
