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

    #if arch(x86_64)
        /// Runs on every processor with AVX2, so that all machines compute the same bits.
        static let coreType: String? = "HASWELL"
    #else
        static let coreType: String? = nil
    #endif

    /// Makes OpenBLAS use one thread and the kernels that every machine has.
    ///
    /// It chooses its kernels from the environment as it is loaded, and starts threads then, to any
    /// of which a signal could be delivered; so a program in which `OPENBLAS_CORETYPE` and
    /// `OPENBLAS_NUM_THREADS` are anything else starts itself again once with them. Call this first.
    package static func pinOpenBLAS() {
        let guardName = "DTRAIN_OPENBLAS_PINNED"
        let isPinned =
            value("OPENBLAS_NUM_THREADS") == "1"
            && (coreType == nil || value("OPENBLAS_CORETYPE") == coreType)
        if requirement() == nil, !isPinned, value(guardName) == nil {
            if let coreType { setenv("OPENBLAS_CORETYPE", coreType, 1) }
            setenv("OPENBLAS_NUM_THREADS", "1", 1)
            setenv(guardName, "1", 1)
            startAgain()
        }
        // Children decide for themselves.
        unsetenv(guardName)
        openblas_set_num_threads(1)
    }

    private static func value(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    /// Returns only if the system refuses; then the kernels are those that were loaded.
    private static func startAgain() {
        var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) }
        arguments.append(nil)
        // By its own name, so that process lists show it; by the link if it was moved.
        let link = "/proc/self/exe"
        var path = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        if readlink(link, &path, Int(PATH_MAX)) > 0 { execv(path, arguments) }
        execv(link, arguments)
        for argument in arguments { free(argument) }
    }
}
