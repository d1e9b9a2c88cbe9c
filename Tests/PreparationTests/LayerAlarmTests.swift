import Preparation
import Testing

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
