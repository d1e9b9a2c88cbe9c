/// Whether one of the numbers is a NaN.
///
/// Costs less than reading them: four masks of eight at a time.
func holdsNaN(_ numbers: UnsafeBufferPointer<Float>) -> Bool {
    guard let base = numbers.baseAddress else { return false }
    let source = UnsafeRawPointer(base)
    var index = 0
    while index + 32 <= numbers.count {
        let place = source + 4 * index
        let a = place.loadUnaligned(as: SIMD8<Float>.self)
        let b = place.loadUnaligned(fromByteOffset: 32, as: SIMD8<Float>.self)
        let c = place.loadUnaligned(fromByteOffset: 64, as: SIMD8<Float>.self)
        let d = place.loadUnaligned(fromByteOffset: 96, as: SIMD8<Float>.self)
        if any(((a .!= a) .| (b .!= b)) .| ((c .!= c) .| (d .!= d))) { return true }
        index += 32
    }
    while index < numbers.count {
        if base[index].isNaN { return true }
        index += 1
    }
    return false
}
