import CKernels
import Synchronization

/// The processor's instructions that kernels use. All give the same bits, wider ones sooner.
package enum Instructions: String, Sendable, CaseIterable {
    #if arch(x86_64)
        /// AVX2 with FMA, which every x86-64 processor has that dtrain runs on.
        case avx2
    #else
        /// The instructions that every arm64 processor has.
        case neon
    #endif
    case avx512
    /// AVX-512 with the instruction for pairs of bfloat16, twice as fast as two for float32.
    case avx512bf16

    #if arch(x86_64)
        /// The instructions that dtrain as a whole is compiled for.
        package static let floor = avx2
    #else
        /// The instructions that dtrain as a whole is compiled for.
        package static let floor = neon
    #endif

    /// Whether the processor has them; those for bfloat16 must be found to give the bits of the others.
    package var isAvailable: Bool {
        switch self {
        case .floor: dtrain_has_floor() != 0
        case .avx512bf16: Self.hasPairs
        default: dtrain_has_avx512() != 0
        }
    }

    private static let hasPairs = dtrain_has_bf16_pairs() != 0

    /// Whether registers hold sixteen floats.
    package var isWide: Bool { self != .floor }

    /// The instructions that this processor has, the widest last.
    package static let available = allCases.filter { $0.isAvailable }

    /// The instructions of kernels that are made from now on: the widest unless `force` was called.
    package static var chosen: Instructions { forced ?? available.last ?? .floor }

    /// The argument of the last call of `force`; nil if there was none.
    package static var forced: Instructions? {
        let place = choice.load(ordering: .relaxed)
        return place < 0 ? nil : allCases[place]
    }

    /// Makes all kernels of this process use `instructions`, which must be available.
    package static func force(_ instructions: Instructions) {
        precondition(instructions.isAvailable, "\(instructions) on a processor without")
        choice.store(allCases.firstIndex(of: instructions) ?? -1, ordering: .relaxed)
    }

    /// A place in `allCases`; below 0 there is none.
    private static let choice = Atomic(-1)
}

/// The requirements that the machine must meet.
package enum Processor {
    /// Returns what is missing, such as "AVX2 and FMA"; nil when this machine will do.
    package static func requirement() -> String? {
        dtrain_has_floor() == 0 ? "AVX2 and FMA" : nil
    }
}
