import Parameters

/// The file `model.bin` of CTranslate2, binary version 6: the variables by name, then the names under
/// which variables are known besides.
///
/// Source: OpenNMT/CTranslate2, python/ctranslate2/specs/model_spec.py, `ModelSpec._serialize`.
struct CTranslate2Binary {
    static let version: UInt32 = 6

    /// The numbers of CTranslate2's types.
    private enum TypeCode: UInt8 {
        case float32 = 0
        case int8 = 1
        case int16 = 2
        case int32 = 3
        case bfloat16 = 5
    }

    /// One variable of the file.
    private struct Entry {
        let name: String
        let shape: [Int]
        let type: TypeCode
        let bytes: Int
        let write: (any ByteSink) throws -> Void
    }

    private let specification: String
    private let revision: UInt32
    private let entries: [Entry]
    private let aliases: [(name: String, target: String)]

    /// Lays out a file. Throws: `tensorTooLarge` for a tensor whose bytes the format cannot count.
    init(
        specification: String, revision: UInt32, _ variables: [CTranslate2Variable],
        parameters: ParameterVector, type: NumberType
    ) throws(ExportError) {
        self.specification = specification
        self.revision = revision
        var entries: [Entry] = []
        var aliases: [(name: String, target: String)] = []
        var first: [CTranslate2Variable.Value: String] = [:]
        // Of equal tensors the first by name is kept.
        for variable in variables.sorted(by: { $0.name < $1.name }) {
            guard case .tensor(let numbers, let shape, let isMatrix) = variable.value else {
                entries.append(Self.scalar(variable))
                continue
            }
            if let target = first[variable.value] {
                aliases.append((variable.name, target))
                continue
            }
            first[variable.value] = variable.name
            entries += Self.tensor(variable.name, numbers, shape, isMatrix, parameters, type)
        }
        for entry in entries where entry.bytes > Int(UInt32.max) {
            throw .tensorTooLarge(
                format: CTranslate2Format.name, tensor: entry.name, bytes: entry.bytes)
        }
        self.entries = entries.sorted { $0.name < $1.name }
        self.aliases = aliases
    }

    /// Writes the file.
    func write(to sink: any ByteSink) throws {
        var head = Bytes()
        head.add(Self.version)
        head.add(specification)
        head.add(revision)
        head.add(UInt32(entries.count))
        try sink.append(head.bytes)
        for entry in entries {
            var head = Bytes()
            head.add(entry.name)
            head.add(UInt8(entry.shape.count))
            for extent in entry.shape { head.add(UInt32(extent)) }
            head.add(entry.type.rawValue)
            head.add(UInt32(entry.bytes))
            try sink.append(head.bytes)
            try entry.write(sink)
        }
        var tail = Bytes()
        tail.add(UInt32(aliases.count))
        for (name, target) in aliases {
            tail.add(name)
            tail.add(target)
        }
        try sink.append(tail.bytes)
    }

    private static func scalar(_ variable: CTranslate2Variable) -> Entry {
        func entry(_ type: TypeCode, _ value: some FixedWidthInteger) -> Entry {
            var bytes = Bytes()
            bytes.add(value)
            return Entry(name: variable.name, shape: [], type: type, bytes: bytes.bytes.count) {
                [bytes] in try $0.append(bytes.bytes)
            }
        }
        switch variable.value {
        case .flag(let value): return entry(.int8, Int8(value ? 1 : 0))
        case .int8(let value): return entry(.int8, value)
        case .int16(let value): return entry(.int16, value)
        case .int32(let value): return entry(.int32, value)
        case .float(let value): return entry(.float32, value.bitPattern)
        case .tensor: preconditionFailure("\(variable.name) is no scalar")
        }
    }

    private static func tensor(
        _ name: String, _ numbers: CTranslate2Variable.Numbers, _ shape: [Int], _ isMatrix: Bool,
        _ parameters: ParameterVector, _ type: NumberType
    ) -> [Entry] {
        let count = numbers.count
        precondition(count == shape.reduce(1, *), "\(name) has \(count) numbers for \(shape)")
        let columns = shape[shape.count - 1]
        switch type {
        case .int8 where isMatrix:
            return [
                Entry(name: name, shape: shape, type: .int8, bytes: count) { sink in
                    try numbers.forEach(in: parameters, chunk: columns) { row in
                        let scale = scale(of: row)
                        try sink.append(
                            row.map {
                                UInt8(
                                    bitPattern: Int8(($0 * scale).rounded(.toNearestOrEven)))
                            })
                    }
                },
                Entry(
                    name: name + "_scale", shape: [shape[0]], type: .float32, bytes: 4 * shape[0]
                ) { sink in
                    try numbers.forEach(in: parameters, chunk: columns) { row in
                        var bytes = Bytes()
                        bytes.add(scale(of: row).bitPattern)
                        try sink.append(bytes.bytes)
                    }
                },
            ]
        case .bfloat16:
            return [
                Entry(name: name, shape: shape, type: .bfloat16, bytes: 2 * count) { sink in
                    try numbers.forEach(in: parameters, chunk: 1 << 16) { piece in
                        let halves = piece.map(\.bfloat16.littleEndian)
                        try halves.withUnsafeBytes { try sink.append($0) }
                    }
                }
            ]
        case .float32, .int8:
            return [
                Entry(name: name, shape: shape, type: .float32, bytes: 4 * count) { sink in
                    try numbers.forEach(in: parameters, chunk: 1 << 18) { piece in
                        try sink.append(UnsafeRawBufferPointer(piece))
                    }
                }
            ]
        }
    }
}

extension Bytes {
    /// A text as CTranslate2 writes it: the length with its NUL in two bytes, the text, the NUL.
    fileprivate mutating func add(_ text: String) {
        let characters = Array(text.utf8)
        add(UInt16(characters.count + 1))
        add(characters + [0])
    }
}
