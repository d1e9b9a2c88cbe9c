extension [Unicode.Scalar] {
    /// Python's `str.lower`: Unicode's full mapping, and Σ as ς at the end of a word.
    package var lowercased: [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(count)
        for (index, scalar) in enumerated() {
            if scalar == "Σ" {
                result.append(isFinalSigma(at: index) ? "ς" : "σ")
            } else if scalar.value < 0x80 {
                result.append(
                    (0x41...0x5A).contains(scalar.value)
                        ? Unicode.Scalar(UInt8(scalar.value) + 32) : scalar)
            } else {
                result.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
            }
        }
        return result
    }

    /// A cased letter stands before it and none behind, whatever case-ignorable marks lie between.
    private func isFinalSigma(at index: Int) -> Bool {
        let before = self[..<index].last { !$0.properties.isCaseIgnorable }
        guard let before, before.properties.isCased else { return false }
        let behind = self[(index + 1)...].first { !$0.properties.isCaseIgnorable }
        return !(behind?.properties.isCased ?? false)
    }
}
