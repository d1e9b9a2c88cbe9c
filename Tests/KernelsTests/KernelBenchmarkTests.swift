import Kernels
import Testing

@Suite("The kernels' benchmark")
struct KernelBenchmarkTests {
    @Test("Every kernel runs and is named with its shape")
    func runs() {
        let timings = KernelBenchmark(
            tokens: 10, dModel: 12, dFF: 20, heads: 2, vocabulary: 33, length: 5, seconds: 0
        ).run()
        #expect(timings.count > 20)
        #expect(timings.allSatisfy { !$0.kernel.isEmpty && !$0.shape.isEmpty && $0.bytes > 0 })
        #expect(timings.allSatisfy { $0.milliseconds.isFinite })
    }
}
