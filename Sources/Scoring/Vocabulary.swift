/// Numbers the words of a comparison in the order in which they come, so that n-grams are compared
/// as numbers.
struct Vocabulary {
    private var numbers: [Word: UInt32] = [:]

    mutating func numbers(of words: [Word]) -> [UInt32] {
        words.map { word in
            if let number = numbers[word] { return number }
            let number = UInt32(numbers.count)
            numbers[word] = number
            return number
        }
    }
}
