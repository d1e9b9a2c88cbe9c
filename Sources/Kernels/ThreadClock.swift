#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The processor time of the calling thread: other programs disturb it little.
package enum ThreadClock {
    /// Returns the processor time of the calling thread, in nanoseconds.
    package static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Returns the processor time of the calling thread, in seconds.
    package static func seconds() -> Double { Double(nanoseconds()) * 1e-9 }
}
