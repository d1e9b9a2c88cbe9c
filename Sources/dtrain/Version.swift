import CBuildFacts

extension Dtrain {
    /// `dtrain 0.1.0 (commit 0123456789ab)`, then how it was built.
    static var version: String {
        """
        dtrain \(number) (commit \(String(cString: dtrain_build_commit())))
        \(build), clang \(String(cString: dtrain_build_clang()).prefix { $0 != " " })
        """
    }

    /// What two processes compare before they work together.
    static var software: String { "dtrain \(number)" }

    static let number = "0.1.0"

    private static var build: String {
        #if DEBUG
            let configuration = "debug build, numeric modules optimised"
        #else
            let configuration = "release build"
        #endif
        #if arch(x86_64)
            let processor = "x86-64 with AVX2 and FMA"
        #elseif arch(arm64)
            let processor = "arm64"
        #else
            let processor = "another processor"
        #endif
        return "\(configuration), \(processor), Swift \(compiler)"
    }

    private static var compiler: String {
        #if compiler(>=6.4)
            "6.4 or newer"
        #elseif compiler(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }
}
