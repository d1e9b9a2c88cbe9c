/// The version of the numbers that come of the same settings, text and seed, on any processor.
///
/// It counts up when a kernel, an elementary function or an order of sums gives other bits.
/// Version 1 took logarithms, powers, sines and exponentials from the C library.
package enum ArithmeticVersion {
    /// The version of this program, from 1; a run that began with another is refused.
    package static let current = 2
}
