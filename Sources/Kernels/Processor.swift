import COpenBLAS

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the machine must offer, and which of OpenBLAS's kernels runs on it.
package enum Processor {
    /// What is missing, such as "AVX2 and FMA"; nil when this machine will do.
    package static func requirement() -> String? {
        dtrain_has_avx2_and_fma() == 0 ? "AVX2 and FMA" : nil
    }

    /// OpenBLAS's name of the kernels that it chose, such as "Haswell".
    package static var kernelName: String { String(cString: openblas_get_corename()) }

    /// Keeps OpenBLAS to one thread: lanes are the parallelism.
    ///
    /// Which kernels it chooses, and that it starts no threads, is settled before it is loaded:
    /// `CResources/start.c`.
    package static func keepToOneThread() { openblas_set_num_threads(1) }
}
