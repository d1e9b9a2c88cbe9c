/// One sentence for a person, and whether it must be said under `--quiet`, too.
package struct Remark: Equatable, Sendable {
    package let sentence: String
    /// Something is not as it should be.
    package let isWarning: Bool

    static func note(_ sentence: String) -> Remark { Remark(sentence: sentence, isWarning: false) }
    static func warning(_ sentence: String) -> Remark {
        Remark(sentence: sentence, isWarning: true)
    }
}
