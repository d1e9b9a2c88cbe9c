import Kernels
import Testing

@Suite("The processor")
struct ProcessorTests {
    @Test("This machine will do, and OpenBLAS names its kernels")
    func requirement() {
        #expect(Processor.requirement() == nil)
        #expect(!Processor.kernelName.isEmpty)
    }
}
