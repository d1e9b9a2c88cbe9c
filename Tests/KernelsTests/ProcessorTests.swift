import Glibc
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

    @Test("This thread rounds as kernels must")
    func usualMode() {
        #expect(FloatingPointMode.fault == nil)
        FloatingPointMode.require()
    }

    #if arch(x86_64)
        @Test("A thread that rounds up, flushes small numbers or takes them for zeros is stopped")
        func otherModes() async {
            await #expect(processExitsWith: .failure) { computeUnder(control: 0x4000) }
            await #expect(processExitsWith: .failure) { computeUnder(control: 0x8000) }
            await #expect(processExitsWith: .failure) { computeUnder(control: 0x0040) }
            await #expect(processExitsWith: .success) { computeUnder(control: 0x0001) }
        }
    #endif

    @Test("A core's peak is measured")
    func peak() {
        #expect(MultiplyAddPeak.measure(seconds: 0.001) > 1e8)
    }
}

#if arch(x86_64)
    /// Begins to compute with these bits in the processor's control register; ends the process.
    private func computeUnder(control: UInt32) {
        var mode = fenv_t()
        fegetenv(&mode)
        mode.__mxcsr |= control
        fesetenv(&mode)
        FloatingPointMode.require()
        exit(EXIT_SUCCESS)
    }
#endif
