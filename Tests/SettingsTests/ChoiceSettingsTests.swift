import Foundation
import Model
import Settings
import Testing

@Suite("Settings of the architecture")
struct ChoiceSettingsTests {
    private func refusal(_ pairs: [(Setting, String)]) -> ConfigurationError? {
        #expect(throws: ConfigurationError.self) { try RunConfiguration(flags(pairs)) }
    }

    @Test func `every choice reaches the architecture`() throws {
        let run = try RunConfiguration(
            flags([
                (.shareQueryKey, "true"), (.attentionDropout, "0.25"), (.activation, "swiglu"),
                (.norm, "post"), (.normalisation, "rms"), (.residual, "false"),
                (.finalNorm, "false"), (.outputBias, "true"),
                (.positionEncoding, "rotary"), (.tying, "none"), (.encoderLayers, "3"),
                (.decoderLayers, "1"), (.initialisation, "normal"), (.initialDeviation, "0.5"),
            ]))
        let architecture = Architecture(run, vocabulary: 99)
        #expect(
            architecture
                == Architecture(
                    kind: .encoderDecoder, norm: .post, finalNorm: false, normalisation: .rms,
                    residual: false, activation: .swiglu, positionEncoding: .rotary,
                    tying: .none, outputBias: true, sharesQueryKey: true, dModel: 128,
                    encoderLayers: 3, decoderLayers: 1,
                    dFF: 512, heads: 4, vocabulary: 99, positions: 256, dropout: 0.3,
                    attentionDropout: 0.25))
        #expect(run.optimizer.arithmetic.initialisation == .normal(deviation: 0.5))
    }

    @Test func `a language model resumes with what it was started with`() throws {
        let run = try RunConfiguration(
            flags([(.architecture, "lm"), (.text, "/a.txt"), (.decoderLayers, "3")]))
        #expect((run.architecture.encoderLayers, run.architecture.decoderLayers) == (3, 3))
        #expect(Architecture(run, vocabulary: 9).kind == .languageModel)
        let yaml = try GivenSettings(yaml: run.yaml, path: "configuration.yaml")
        #expect(try RunConfiguration(yaml) == run)
        let same = flags([(.architecture, "lm"), (.logLayersEvery, "5")])
        #expect(try run.resumed(with: same, in: "r").reporting.logLayersEvery == 5)
        #expect(throws: ConfigurationError.self) {
            try run.resumed(with: flags([(.positionEncoding, "rotary")]), in: "r")
        }
    }

    @Test func `choices that make no sense beside others are refused by name`() {
        let lm = (Setting.architecture, "lm")
        func only(_ setting: Setting, _ pairs: [(Setting, String)]) {
            guard case .onlyWith(setting, _) = refusal(pairs) else {
                Issue.record("\(setting.flag)")
                return
            }
        }
        only(.text, [(.text, "a")])
        only(.corpus, [lm, (.corpus, "a")])
        only(.source, [lm, (.source, "a"), (.target, "b")])
        only(.beam, [lm, (.beam, "4")])
        only(.encoderLayers, [lm, (.encoderLayers, "2")])
        only(.initialDeviation, [(.initialDeviation, "1")])
        only(.finalNorm, [(.finalNorm, "false")])
        only(.finalNorm, [(.norm, "none"), (.finalNorm, "false")])
        only(.compatibleWith, [lm, (.compatibleWith, "marian")])
        #expect(refusal([lm, (.tying, "decoder")]) == .senseless(.tying, .noEncoder))
        #expect(
            refusal([(.norm, "none"), (.normalisation, "batch")])
                == .senseless(.normalisation, .noNorm))
        #expect(
            refusal([(.dModel, "12"), (.heads, "4"), (.positionEncoding, "rotary")])
                == .senseless(.positionEncoding, .oddHeadWidth(3)))
        #expect(
            refusal([(.initialisation, "zeros")])
                == .unfit(.initialisation, text: "zeros", .malformed))
        #expect(refusal([(.text, "")]) == .unfit(.text, text: "", .empty))
    }

    @Test(arguments: [
        (Setting.attentionDropout, "1"), (.attentionDropout, "-0.5"), (.initialDeviation, "-1"),
        (.logLayersEvery, "-1"),
    ])
    func `numbers out of range are refused by name`(setting: Setting, text: String) {
        let error = refusal([(.initialisation, "normal"), (setting, text)])
        #expect(error == .unfit(setting, text: text, .outOfRange))
    }

    @Test func `one flag makes every choice that Marian needs`() throws {
        let marian = (Setting.compatibleWith, "marian")
        let run = try RunConfiguration(flags([marian]))
        #expect(run.architecture.marianObstacle == nil)
        #expect(run.text(.norm) == "post" && run.text(.finalNorm) == "false")
        #expect(run.text(.activation) == "silu" && run.text(.tying) == "all")
        // What Marian has as well may be chosen beside it.
        let other = try RunConfiguration(flags([marian, (.activation, "relu"), (.dModel, "64")]))
        #expect(other.architecture.activation == .relu && other.text(.compatibleWith) == "marian")
        for (setting, value) in [
            (Setting.norm, "pre"), (.finalNorm, "true"), (.normalisation, "rms"),
            (.residual, "false"), (.activation, "swiglu"), (.positionEncoding, "rotary"),
            (.shareQueryKey, "true"),
        ] {
            #expect(
                refusal([marian, (setting, value)])
                    == .senseless(.compatibleWith, .inexpressible(setting, value: value)))
        }
    }

    @Test func `a run that Marian can express is read and resumed as it was`() throws {
        let run = try RunConfiguration(flags([(.compatibleWith, "marian"), (.tying, "decoder")]))
        #expect(try RunConfiguration(GivenSettings(yaml: run.yaml, path: "c.yaml")) == run)
        let same = flags([(.compatibleWith, "marian"), (.finalNorm, "false")])
        #expect(try run.resumed(with: same, in: "r") == run)
        let plain = try RunConfiguration(flags([(.norm, "post")]))
        #expect(plain.text(.finalNorm) == "true" && plain.text(.compatibleWith) == nil)
        for given in [flags([(.compatibleWith, "marian")]), flags([(.finalNorm, "false")])] {
            #expect(throws: ConfigurationError.self) { try plain.resumed(with: given, in: "r") }
        }
        var below = GivenSettings()
        below.set(.norm, "pre")
        #expect(flags([(.compatibleWith, "marian")]).over(below).text(.norm) == nil)
    }

    @Test func `an architecture written before there were choices is what it was`() throws {
        let old = """
            {"kind": "encoder-decoder", "norm": "pre", "activation": "relu", "dModel": 128,
             "encoderLayers": 2, "decoderLayers": 2, "dFF": 512, "heads": 4, "vocabulary": 4000,
             "positions": 256, "dropout": 0.3}
            """
        let decoded = try JSONDecoder().decode(Architecture.self, from: Data(old.utf8))
        let defaults = try RunConfiguration(GivenSettings())
        #expect(decoded == Architecture(defaults, vocabulary: 4000))
        let again = try JSONDecoder().decode(
            Architecture.self, from: JSONEncoder().encode(decoded))
        #expect(again == decoded)
        let written = try #require(String(bytes: JSONEncoder().encode(decoded), encoding: .utf8))
        #expect(!written.contains("finalNorm") && !written.contains("outputBias"))
        var later = decoded
        (later.norm, later.finalNorm, later.outputBias) = (.post, false, true)
        #expect(
            try JSONDecoder().decode(Architecture.self, from: JSONEncoder().encode(later)) == later)
    }
}
