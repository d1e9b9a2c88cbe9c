import CKernels

/// How the calling thread's processor rounds: a thread's own setting, which a library may change.
///
/// All kernels are written for the usual one of IEEE 754: to nearest, ties to even, and numbers below
/// the normal ones are kept. Nothing here ever changes it.
package enum FloatingPointMode {
    /// The control bits that say otherwise; nil if none does.
    package static var fault: UInt64? {
        let bits = dtrain_float_mode()
        return bits == 0 ? nil : bits
    }

    /// Traps unless this thread computes as all others do: to be called where a thread's work begins.
    package static func require() {
        let bits = dtrain_float_mode()
        precondition(bits == 0, "a library has changed how a thread rounds: control bits \(bits)")
    }
}
