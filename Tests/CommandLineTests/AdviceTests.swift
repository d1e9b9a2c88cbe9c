import Foundation
import TestKit
import Testing

/// A message that recommends commands: what is typed before, what provokes it, how that ends.
struct Advised: Sendable, CustomTestStringConvertible {
    let when: String
    var prepared: [String] = []
    let typed: String
    var code: Int32 = 64
    /// How many commands it recommends.
    var commands = 1

    var testDescription: String { when }

    static let toy = """
        train --corpus pairs.tsv --validation pairs.tsv --vocabulary 48 --d-model 32 --layers 1 \
        --heads 2 --d-ff 64 --batch-tokens 200 --validate-every 0 --threads 1
        """
    static let lm = """
        train --architecture lm --text pairs.tsv --vocabulary 48 --d-model 32 --layers 1 --heads 2 \
        --d-ff 64 --batch-tokens 200 --positions 24 --validate-every 0 --threads 1 --steps 1
        """

    static let all = [
        Advised(
            when: "a gradient is not finite",
            typed: "\(toy) --run a --steps 5 --learning-rate 1e30", code: 1, commands: 2),
        Advised(
            when: "all steps are done", prepared: ["\(toy) --run a --steps 2"],
            typed: "train --resume --run a", code: 0),
        Advised(
            when: "all epochs are done", prepared: ["\(toy) --run a --epochs 1"],
            typed: "train --resume --run a", code: 0),
        Advised(
            when: "the time is over", typed: "\(toy) --run a --steps 100000 --time-limit 1s",
            code: 0),
        Advised(
            when: "another value would change the numbers, in a folder with a blank",
            prepared: ["\(toy) --run 'my run' --steps 2"],
            typed: "train --resume --run 'my run' --shards 4"),
        Advised(
            when: "another value would change the numbers, before the first checkpoint",
            prepared: ["\(toy) --run a --steps 2", "rm -r a/checkpoints a/ledger.jsonl"],
            typed: "train --resume --run a --learning-rate 0.001"),
        Advised(
            when: "another value would be another model", prepared: ["\(toy) --run a --steps 2"],
            typed: "train --resume --run a --d-model 16 --steps 4"),
        Advised(
            when: "another tokenizer would change the numbers",
            prepared: [
                "\(toy) --run a --steps 2", "cp a/checkpoints/step-000002/tokenizer.model t.model",
            ],
            typed: "train --resume --run a --tokenizer t.model --steps 4"),
        Advised(
            when: "another vocabulary would change the numbers",
            prepared: ["\(toy) --run a --steps 2"],
            typed: "train --resume --run a --vocabulary 46 --steps 4"),
        Advised(
            when: "another origin would change the numbers",
            prepared: ["\(toy) --run a --steps 2", "\(toy) --run b --steps 1"],
            typed: "train --resume --run a --from b --steps 4"),
        Advised(
            when: "another flag would be another model", prepared: ["\(toy) --run a --steps 2"],
            typed: "train --resume --run a --share-query-key --workers 2"),
        Advised(
            when: "a language model is to translate", prepared: ["\(lm) --run a"],
            typed: "translate --run a"),
        Advised(
            when: "a translator is to generate", prepared: ["\(toy) --run a --steps 2"],
            typed: "generate --run a"),
        Advised(
            when: "a command is mistyped", prepared: ["\(toy) --steps 1"], typed: "token shwo"),
        Advised(
            when: "an option stands before its command", prepared: ["\(toy) --steps 1"],
            typed: "--json inspect"),
        Advised(when: "an argument is unexpected", typed: "train quickly"),
        Advised(when: "a topic is mistyped", typed: "help setings"),
        Advised(when: "no command is near", typed: "xyzzy"),
        Advised(
            when: "a seed finds a known mistake",
            typed: "simulate --seeds 300 --canary forgets-lines", code: 0),
    ]
}

@Suite("What messages recommend")
struct AdviceTests {
    @Test(arguments: Advised.all)
    func `works when it is typed`(advised: Advised) throws {
        let program = try Program()
        let folder = try TemporaryFolder()
        try folder.write(TrainedRun.text, to: "pairs.tsv")
        for line in advised.prepared {
            let outcome = try program.type(
                line.hasPrefix("rm") || line.hasPrefix("cp") ? line : "dtrain \(line)",
                in: folder.url)
            try #require(outcome.code == 0, "\(line): \(outcome.errors)")
        }
        let outcome = try program.type("dtrain \(advised.typed)", in: folder.url)
        #expect(outcome.code == advised.code, "\(outcome.errors)")
        let said = outcome.errors + outcome.output
        let commands = said.matches(of: /'(dtrain [^']*)'/).map { String($0.output.1) }
        #expect(Set(commands).count >= advised.commands, "\(said)")
        for command in Set(commands) {
            let followed = try program.type(command, in: folder.url)
            #expect(followed.code == 0, "\(command): \(followed.errors.suffix(400))")
        }
    }
}
