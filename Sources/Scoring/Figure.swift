import Foundation

/// Numbers as Python prints them with a fixed count of places: the nearest decimal, ties to even.
package enum Figure {
    /// Returns a number with so many places.
    package static func decimal(_ value: Double, _ places: Int) -> String {
        String(format: "%.\(places)f", value)
    }
}
