import Foundation
import Model
import Runtime
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
                (.positionEncoding, "rotary"), (.tying, "none"), (.encoderLayers, "3"),
                (.decoderLayers, "1"), (.initialisation, "normal"), (.initialDeviation, "0.5"),
            ]))
        let architecture = Architecture(run, vocabulary: 99)
        #expect(
            architecture
                == Architecture(
                    kind: .encoderDecoder, norm: .post, normalisation: .rms, residual: false,
                    activation: .swiglu, positionEncoding: .rotary, tying: .none,
                    sharesQueryKey: true, dModel: 128, encoderLayers: 3, decoderLayers: 1,
                    dFF: 512, heads: 4, vocabulary: 99, positions: 256, dropout: 0.3,
                    attentionDropout: 0.25))
        #expect(run.initialisation == .normal(deviation: 0.5))
    }

    @Test func `a language model resumes with what it was started with`() throws {
        let run = try RunConfiguration(
            flags([(.architecture, "lm"), (.text, "/a.txt"), (.decoderLayers, "3")]))
        #expect((run.encoderLayers, run.decoderLayers) == (3, 3))
        #expect(Architecture(run, vocabulary: 9).kind == .languageModel)
        let yaml = try GivenSettings(yaml: run.yaml, path: "configuration.yaml")
        #expect(try RunConfiguration(yaml) == run)
        let same = flags([(.architecture, "lm"), (.logLayersEvery, "5")])
        #expect(try run.resumed(with: same).logLayersEvery == 5)
        #expect(throws: ConfigurationError.self) {
            try run.resumed(with: flags([(.positionEncoding, "rotary")]))
        }
    }

    @Test func `choices that make no sense beside others are refused by name`() {
        let lm = (Setting.architecture, "lm")
        #expect(refusal([(.text, "a")]) == .senseless(.text, .needsLanguageModel))
        #expect(refusal([lm, (.corpus, "a")]) == .senseless(.corpus, .needsPairs))
        #expect(
            refusal([lm, (.source, "a"), (.target, "b")]) == .senseless(.source, .needsPairs))
        #expect(refusal([lm, (.beam, "4")]) == .senseless(.beam, .needsPairs))
        #expect(refusal([lm, (.encoderLayers, "2")]) == .senseless(.encoderLayers, .noEncoder))
        #expect(refusal([lm, (.tying, "decoder")]) == .senseless(.tying, .noEncoder))
        #expect(
            refusal([(.norm, "none"), (.normalisation, "batch")])
                == .senseless(.normalisation, .noNorm))
        #expect(
            refusal([(.dModel, "12"), (.heads, "4"), (.positionEncoding, "rotary")])
                == .senseless(.positionEncoding, .oddHeadWidth(3)))
        #expect(
            refusal([(.initialDeviation, "1")])
                == .senseless(.initialDeviation, .needsNormal))
        #expect(
            refusal([(.initialisation, "zeros")])
                == .notOneOf(.initialisation, text: "zeros", choices: ["xavier", "normal"]))
        #expect(refusal([(.text, "")]) == .empty(.text))
    }

    @Test(arguments: [
        (Setting.attentionDropout, "1"), (.attentionDropout, "-0.5"), (.initialDeviation, "-1"),
        (.logLayersEvery, "-1"),
    ])
    func `numbers out of range are refused by name`(setting: Setting, text: String) {
        let error = refusal([(.initialisation, "normal"), (setting, text)])
        guard case .outOfRange(setting, _, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
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
    }
}

@Suite("What layers suffer from")
struct LayerAlarmTests {
    private func layers(_ norms: [Double], _ activations: [Double]) -> [LayerReport] {
        zip(norms, activations).enumerated().map {
            LayerReport(name: "layers.\($0)", gradientNorm: $1.0, activation: $1.1)
        }
    }

    @Test func `healthy layers raise no alarm`() {
        #expect(layers([0.1, 3, 0.5], [1, 2, 40]).alarms.isEmpty)
    }

    @Test func `the worst layer is named, and how many suffer with it`() {
        let vanishing = layers([1e-9, 1e-7, 1, 2], [1, 1, 1, 1]).alarms
        #expect(
            vanishing == [LayerAlarm(kind: .vanishing, layer: "layers.0", value: 1e-9, others: 1)])
        let exploding = layers([500, 2000, 10], [1, 1e4, .infinity]).alarms
        #expect(exploding.map(\.kind) == [.exploding, .overflowing])
        #expect(exploding.map(\.layer) == ["layers.1", "layers.2"])
        #expect(exploding.map(\.others) == [1, 1])
    }

    @Test func `what is no number is worst`() {
        let alarms = layers([1, .nan, 300], [1, 1, 1]).alarms
        #expect(alarms.map(\.layer) == ["layers.1"] && alarms[0].others == 1)
    }
}
