import Parameters
import Ring
import Testing

@Suite struct WireFormatTests {
    private func rounded(
        _ values: [Float], _ wire: WireFormat, step: UInt64 = 1, node: Int = 0, first: Int = 0
    ) -> [Float] {
        let vector = ParameterVector(count: values.count)
        vector.store(values, at: 0)
        StochasticRounding(wire, seed: 3, step: step)
            .round(vector.unsafeAddress, values.count, first: first, node: node)
        return vector.floats()
    }

    private func travelled(_ values: [Float], _ wire: WireFormat) -> [Float] {
        var bytes = [UInt8](repeating: 0, count: wire.byteCount(values.count))
        var result = [Float](repeating: 0, count: values.count)
        values.withUnsafeBytes { floats in
            bytes.withUnsafeMutableBytes { wire.encode(floats, into: $0) }
        }
        bytes.withUnsafeBytes { content in
            result.withUnsafeMutableBytes { wire.decode(content, into: $0) }
        }
        return result
    }

    @Test(arguments: WireFormat.allCases)
    func `what is rounded travels without loss, and rounding it again changes nothing`(
        wire: WireFormat
    ) {
        for seed in 0..<60 as Range<UInt64> {
            let count = [1, 7, 63, 64, 65, 200][Int(seed % 6)]
            var values = gradients(1, count, seed: seed)[0].floats()
            if seed % 5 == 0 { values = values.map { $0 * 1e-38 } }
            let once = rounded(values, wire)
            #expect(travelled(once, wire).map(\.bitPattern) == once.map(\.bitPattern))
            let again = rounded(once, wire, step: 99, node: 5)
            #expect(again.map(\.bitPattern) == once.map(\.bitPattern))
        }
    }

    @Test(arguments: [(WireFormat.bf16, 0x1p-7), (.int8, 0x1p-5)] as [(WireFormat, Float)])
    func `rounding errs by less than a step of the format, and by nothing on average`(
        wire: WireFormat, step: Float
    ) {
        let values: [Float] = (0..<64).map { Float($0 - 31) / 32 * 1.003 }
        var mean = [Double](repeating: 0, count: 64)
        let trials = 4000
        for trial in 0..<trials {
            for (index, value) in rounded(values, wire, step: UInt64(trial)).enumerated() {
                #expect(abs(value - values[index]) <= step)
                mean[index] += Double(value) / Double(trials)
            }
        }
        for index in 0..<64 { #expect(abs(mean[index] - Double(values[index])) < 0.001) }
    }

    @Test(arguments: [WireFormat.bf16, .int8])
    func `the random bits depend on seed, step, node and index, not on where a cut is`(
        wire: WireFormat
    ) {
        let values = gradients(1, 512, seed: 4)[0].floats()
        let whole = rounded(values, wire)
        let parts =
            rounded(Array(values[..<192]), wire)
            + rounded(Array(values[192...]), wire, first: 192)
        #expect(parts.map(\.bitPattern) == whole.map(\.bitPattern))
        #expect(rounded(values, wire, step: 2) != whole)
        #expect(rounded(values, wire, node: 1) != whole)
        #expect(rounded(values, wire, first: 64) != whole)
    }

    @Test func `what is not finite stays so, and any bytes at all are read`() {
        for wire in WireFormat.allCases {
            for bad: Float in [.nan, .infinity, -.infinity, Float(bitPattern: 0x7F80_0001)] {
                var values = [Float](repeating: 1, count: 70)
                values[3] = bad
                #expect(!travelled(rounded(values, wire), wire)[3].isFinite)
            }
            var generator = SeededGenerator(seed: 8)
            for _ in 0..<200 {
                let count = Int.random(in: 1...200, using: &generator)
                let bytes = (0..<wire.byteCount(count)).map { _ in
                    UInt8.random(in: 0 ... .max, using: &generator)
                }
                var floats = [Float](repeating: 0, count: count)
                bytes.withUnsafeBytes { content in
                    floats.withUnsafeMutableBytes { wire.decode(content, into: $0) }
                }
            }
        }
    }
}
