import ArgumentParser
import Runtime
import Text

/// What is learned from.
struct TextOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: about(
            .corpus,
            "Sentence pairs, a tab between source and target. (default: the embedded English–French text)",
            "pairs.tsv"))
    var corpus: String?

    @Option(
        parsing: .unconditional,
        help: about(
            .source, "Source sentences, one a line, with --target instead of --corpus.", "file"))
    var source: String?

    @Option(
        parsing: .unconditional,
        help: about(.target, "Their translations, line by line.", "file"))
    var target: String?

    @Option(
        parsing: .unconditional,
        help: about(
            .text,
            "Text for --architecture lm; a blank line ends a text. (default: the embedded English prose)",
            "file"))
    var text: String?

    @Option(
        parsing: .unconditional,
        help: about(
            .validation,
            "Pairs (lm: text) to validate on. (default: the pairs held out by a hash of their source, one in twenty)",
            "pairs.tsv"))
    var validation: String?

    @Option(
        parsing: .unconditional,
        help: about(
            .tooLong,
            "Pairs of more tokens than --positions: leave them out and count them, or stop.",
            TooLong.allCases.map(\.rawValue).joined(separator: "|")))
    var tooLong: String?

    @Option(
        parsing: .unconditional,
        help: about(
            .tokenizer,
            "A SentencePiece model with ids 0 pad, 1 begin, 2 end, 3 unknown. (default: trained on the text)",
            "file"))
    var tokenizer: String?

    @Option(
        parsing: .unconditional,
        help: about(.vocabulary, "Pieces of the tokenizer that is trained.", "n"))
    var vocabulary: String?

    @Option(
        parsing: .unconditional,
        help: about(
            .from,
            "Start from another run's parameters and tokenizer, or a .safetensors file. (default: at random)",
            "run|file"))
    var from: String?

    var given: GivenSettings {
        var given = GivenSettings()
        given.set(.corpus, corpus)
        given.set(.source, source)
        given.set(.target, target)
        given.set(.text, text)
        given.set(.validation, validation)
        given.set(.tooLong, tooLong)
        given.set(.tokenizer, tokenizer)
        given.set(.vocabulary, vocabulary)
        given.set(.from, from)
        return given
    }
}
