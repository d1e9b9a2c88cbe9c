import Foundation
import Ring
import Settings
import Testing
import Text

/// The settings `pairs`, as if typed on the command line.
func flags(_ pairs: [(Setting, String)]) -> GivenSettings {
    var given = GivenSettings()
    for (setting, text) in pairs { given.set(setting, text) }
    return given
}

@Suite("Configuration")
struct ConfigurationTests {
    @Test func `with nothing given every setting has its default`() throws {
        let run = try RunConfiguration(GivenSettings())
        #expect(run.text.pairs == .embedded)
        #expect((run.architecture.dModel, run.architecture.encoderLayers) == (128, 2))
        for setting in Setting.allCases {
            // Beside the other defaults these say nothing.
            guard let text = setting.defaultText,
                ![.initialDeviation, .finalNorm].contains(setting)
            else { continue }
            #expect(run.text(setting) == text, "\(setting.flag)")
        }
    }

    @Test func `flags override the file, the file overrides the defaults`() throws {
        let file = try GivenSettings(yaml: "seed: 7\nwarmup: 50\n", path: "a.yaml")
        let run = try RunConfiguration(flags([(.seed, "9")]).over(file))
        #expect((run.optimizer.seed, run.optimizer.warmup, run.batches.shards) == (9, 50, 8))
    }

    @Test func `a preset above a file replaces the sizes of the file`() throws {
        let file = try GivenSettings(yaml: "d-model: 160\nheads: 5\nencoder-layers: 1", path: "a")
        let beside = try RunConfiguration(flags([(.dFF, "64")]).over(file)).architecture
        #expect((beside.dModel, beside.heads, beside.dFF, beside.encoderLayers) == (160, 5, 64, 1))
        let above = try RunConfiguration(flags([(.preset, "small")]).over(file)).architecture
        #expect((above.dModel, above.heads, above.encoderLayers) == (256, 4, 3))
    }

    @Test func `layers sets both stacks and yields to the setting of one`() throws {
        let run = try RunConfiguration(flags([(.layers, "4"), (.decoderLayers, "1")])).architecture
        #expect((run.encoderLayers, run.decoderLayers) == (4, 1))
    }

    @Test func `epochs or a time limit replace the default number of steps`() throws {
        #expect(try RunConfiguration(flags([(.epochs, "3")])).length.steps == nil)
        #expect(try RunConfiguration(flags([(.timeLimit, "2m")])).length.steps == nil)
        let epochs = try RunConfiguration(flags([(.epochs, "3"), (.timeLimit, "2m")]))
        #expect(epochs.length.lastStep(batchesPerEpoch: 20) == 60)
        // Runs of the first version may have both.
        var both = GivenSettings()
        both.set(.epochs, "3", from: .run)
        both.set(.steps, "100", from: .run)
        #expect(try RunConfiguration(both).length.lastStep(batchesPerEpoch: 50) == 100)
    }

    @Test func `the resolved configuration reads back from YAML and JSON`() throws {
        let given = flags([
            (.source, "a: b.en"), (.target, "/x/#c.fr"), (.learningRate, "1e-5"),
            (.decoderLayers, "5"), (.epochs, "2"), (.peerTimeout, "1500ms"),
            (.bind, "tcp://[::1]:7000"), (.waitForAll, "true"), (.seed, "18446744073709551615"),
            (.shareQueryKey, "true"), (.attentionDropout, "0.25"), (.activation, "swiglu"),
            (.normalisation, "batch"), (.residual, "false"), (.positionEncoding, "rotary"),
            (.tying, "decoder"), (.initialisation, "normal"), (.initialDeviation, "0.3"),
            (.logLayersEvery, "7"),
        ])
        let run = try RunConfiguration(given)
        let yaml = try GivenSettings(yaml: run.yaml, path: "configuration.yaml")
        #expect(try RunConfiguration(yaml) == run)
        let json = try JSONEncoder().encode(run)
        #expect(try JSONDecoder().decode(RunConfiguration.self, from: json) == run)
    }

    @Test(arguments: ["500ms", "10s", "2m", "1h", "1m", "0ms"])
    func `time spans read back as written`(text: String) {
        #expect(TimeSpan(text)?.description == text)
    }

    @Test(arguments: ["", "10", "s", "-1s", "+1s", "nans", "infs", "1e99h", "10 s", "10sec"])
    func `what is no time span is refused`(text: String) {
        #expect(TimeSpan(text) == nil)
    }

    @Test func `addresses are read, written and judged`() {
        #expect(Address("tcp://127.0.0.1:5555") == .standard)
        #expect(Address("tcp://[::1]:0")?.description == "tcp://[::1]:0")
        #expect(Address("tcp://127.9.0.1:1")?.isLoopback == true)
        #expect(Address("tcp://127.evil.org:1")?.isLoopback == false)
        #expect(Address("tcp://10.0.0.1:1")?.isLoopback == false)
        for text in [
            "127.0.0.1:5", "tcp://h", "tcp://:5", "tcp://h:65536", "tcp://::1:5", "tcp://a b:5",
            "tcp://h:+5",
        ] {
            #expect(Address(text) == nil, "\(text)")
        }
    }
}

@Suite("Resuming a configuration")
struct ConfigurationResumingTests {
    let run = try! RunConfiguration(flags([(.dModel, "160"), (.steps, "30")]))

    static let other: [Setting: String] = [
        .corpus: "/x.tsv", .validation: "/v.tsv", .steps: "60", .epochs: "3", .timeLimit: "1h",
        .onNaN: "skip", .checkpointEvery: "7", .keep: "9", .validateEvery: "0", .logEvery: "0",
        .logLayersEvery: "5", .beam: "4", .workers: "3", .threads: "2",
        .bind: "tcp://127.0.0.1:0", .insecure: "true", .secure: "true", .waitForAll: "true",
        .balance: "false", .tooLong: "stop", .transport: "tcp", .peerTimeout: "5s",
    ]

    @Test func `steps, workers and intervals may change`() throws {
        for setting in Setting.allCases where setting.row.effect.mayChangeOnResume {
            // These need a second one, another architecture, or a run without a vocabulary.
            if [.source, .target, .text, .tokenizer].contains(setting) { continue }
            guard let text = Self.other[setting] else {
                Issue.record("no other value of \(setting.flag) to try")
                continue
            }
            let changed = try run.resumed(with: flags([(setting, text)]), in: "r")
            #expect(changed.text(setting) == text, "\(setting.flag)")
        }
    }

    @Test func `the same value again is no difference`() throws {
        let same = flags([(.preset, "tiny"), (.dModel, "160"), (.layers, "2"), (.shards, "8")])
        #expect(try run.resumed(with: same, in: "r") == run)
    }

    @Test(arguments: [
        (Setting.shards, "4"), (.seed, "2"), (.preset, "small"), (.dModel, "128"),
        (.learningRate, "0.1"), (.collective, "ring"), (.decoderLayers, "3"), (.layers, "3"),
        (.attentionDropout, "0.2"), (.vocabulary, "77"), (.from, "/x"), (.wire, "int8"),
    ])
    func `any other difference is refused by name`(setting: Setting, text: String) throws {
        let error = #expect(throws: ConfigurationError.self) {
            try run.resumed(with: flags([(setting, text)]), in: "r")
        }
        guard case .differs(setting, text, _, .resumed(folder: "r")) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}

@Suite("What a configuration refuses")
struct ConfigurationErrorTests {
    @Test(arguments: [
        (Setting.workers, "0"), (.shards, "0"), (.threads, "0"), (.heads, "0"), (.dModel, "0"),
        (.layers, "0"), (.dFF, "-1"), (.dropout, "1"), (.dropout, "-0.1"), (.positions, "1"),
        (.vocabulary, "3"), (.batchTokens, "0"), (.steps, "0"), (.learningRate, "0"),
        (.warmup, "0"), (.labelSmoothing, "1"), (.clipNorm, "-1"), (.weightDecay, "-1"),
        (.checkpointEvery, "-1"), (.keep, "0"), (.beam, "0"), (.dModel, "99999999"),
    ])
    func `numbers out of range are refused by name`(setting: Setting, text: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try RunConfiguration(flags([(setting, text)]))
        }
        #expect(error == .unfit(setting, text: text, .outOfRange))
    }

    @Test func `combinations that cannot work are refused`() throws {
        func refusal(_ pairs: [(Setting, String)]) -> ConfigurationError? {
            #expect(throws: ConfigurationError.self) { try RunConfiguration(flags(pairs)) }
        }
        #expect(refusal([(.heads, "3")]) == .headsDoNotDivide(heads: 3, dModel: 128))
        #expect(refusal([(.workers, "9")]) == .moreWorkersThanShards(workers: 9, shards: 8))
        #expect(refusal([(.source, "a")]) == .missing(.target, neededBy: .source))
        #expect(refusal([(.source, "a"), (.corpus, "b")]) == .incompatible(.corpus, with: .source))
        #expect(refusal([(.corpus, "")]) == .unfit(.corpus, text: "", .empty))
        #expect(
            refusal([(.secure, "true"), (.insecure, "true")])
                == .incompatible(.insecure, with: .secure))
        #expect(
            refusal([(.secure, "true"), (.transport, "ipc")])
                == .onlyWith(.secure, try #require(Setting.secure.row.only)))
        #expect(refusal([(.bind, "here")]) == .unfit(.bind, text: "here", .malformed))
        #expect(
            refusal([(.norm, "rms")]) == .unfit(.norm, text: "rms", .malformed))
        #expect(refusal([(.steps, "many")]) == .unfit(.steps, text: "many", .malformed))
        #expect(refusal([(.dropout, "nan")]) == .unfit(.dropout, text: "nan", .malformed))
        #expect(refusal([(.peerTimeout, "10")]) == .unfit(.peerTimeout, text: "10", .malformed))
    }

    @Test(arguments: [
        (
            "seed: 1\nsede: 2\n",
            ConfigurationError.unknownKey("sede", path: "f", line: 2, nearest: .seed)
        ),
        ("# a\n\nbananas: 2\n", .unknownKey("bananas", path: "f", line: 3, nearest: nil)),
        ("seed: 1\nwarmup: 5\nseed: 2\n", .repeatedKey("seed", path: "f", line: 3)),
        ("seed: [1]\n", .notAScalar(.seed, path: "f", line: 1)),
        ("seed:\n", .notAScalar(.seed, path: "f", line: 1)),
        (
            "- seed\n",
            .malformedFile(path: "f", line: 1, problem: "it is not a list of 'key: value'")
        ),
    ])
    func `bad configuration files are refused with their line`(
        yaml: String, expected: ConfigurationError
    ) {
        let error = #expect(throws: ConfigurationError.self) {
            try GivenSettings(yaml: yaml, path: "f")
        }
        #expect(error == expected)
    }

    @Test func `YAML that does not parse names its line`() {
        let error = #expect(throws: ConfigurationError.self) {
            try GivenSettings(yaml: "seed: 1\nwarmup: \"2\n", path: "f")
        }
        guard case .malformedFile("f", let line?, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect((2...3).contains(line))
    }
}
