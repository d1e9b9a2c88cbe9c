import Kernels
import Testing

@Suite("The processor")
struct ProcessorTests {
    @Test("This machine will do, and kernels use the widest instructions that it has")
    func requirement() {
        #expect(Processor.requirement() == nil)
        #expect(Instructions.available.first == .floor)
        #expect(Instructions.chosen == Instructions.available.last)
        #expect(Instructions.forced == nil)
    }

    @Test("A core's peak is measured")
    func peak() {
        #expect(MultiplyAddPeak.measure(seconds: 0.001) > 1e8)
    }
}
