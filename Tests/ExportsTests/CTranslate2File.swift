import Testing

/// What a `model.bin` holds, read apart from the code that writes it.
struct CTranslate2File {
    struct Variable {
        let shape: [Int]
        /// float32, int8, int16, int32, float16, bfloat16: 0 to 5.
        let type: UInt8
        let bytes: [UInt8]

        /// The numbers, whatever their type.
        var values: [Float] {
            let size = [4, 1, 2, 4, 2, 2][Int(type)]
            return stride(from: 0, to: bytes.count, by: size).map { start in
                let word = bytes[start..<start + size].reversed().reduce(UInt32(0)) {
                    $0 << 8 | UInt32($1)
                }
                return switch type {
                case 0: Float(bitPattern: word)
                case 1: Float(Int8(truncatingIfNeeded: word))
                case 2: Float(Int16(truncatingIfNeeded: word))
                case 3: Float(Int32(truncatingIfNeeded: word))
                default: Float(bitPattern: word << 16)
                }
            }
        }
    }

    let specification: String
    let revision: Int
    private(set) var names: [String] = []
    private(set) var aliases: [String: String] = [:]
    private var variables: [String: Variable] = [:]

    init(_ bytes: [UInt8]) throws {
        var place = 0
        func take(_ count: Int) throws -> ArraySlice<UInt8> {
            try #require(count <= bytes.count - place, "\(count) bytes at \(place)")
            defer { place += count }
            return bytes[place..<place + count]
        }
        func number(_ size: Int) throws -> Int {
            try take(size).reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        func text() throws -> String {
            let characters = try take(number(2))
            try #require(characters.last == 0)
            return String(decoding: characters.dropLast(), as: UTF8.self)
        }
        try #require(number(4) == 6)
        specification = try text()
        revision = try number(4)
        for _ in 0..<(try number(4)) {
            let name = try text()
            let shape = try (0..<(try number(1))).map { _ in try number(4) }
            let type = UInt8(try number(1))
            let content = Array(try take(number(4)))
            names.append(name)
            variables[name] = Variable(shape: shape, type: type, bytes: content)
        }
        for _ in 0..<(try number(4)) { aliases[try text()] = try text() }
        try #require(place == bytes.count)
    }

    /// A variable by any of its names.
    subscript(name: String) -> Variable? { variables[aliases[name] ?? name] }

    /// The names of all tensors, under whichever name.
    var tensors: Set<String> {
        Set(names.filter { variables[$0]?.shape.isEmpty == false } + aliases.keys)
    }
}
