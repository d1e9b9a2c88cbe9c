/// Which numbers come of the same settings, text and seed, on whatever processor.
///
/// It counts up when a kernel, an elementary function or an order of sums gives other bits than before.
/// Version 1 took logarithms, powers, sines and exponentials from the C library.
package enum ArithmeticVersion {
    package static let current = 1
}
