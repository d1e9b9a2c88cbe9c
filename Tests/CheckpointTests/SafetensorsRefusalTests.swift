import Checkpoint
import Testing

@Suite struct SafetensorsRefusalTests {
    static func file(_ header: String, data: Int = 8, length: UInt64? = nil) -> [UInt8] {
        let length = length ?? UInt64(header.utf8.count)
        return withUnsafeBytes(of: length.littleEndian) { Array($0) } + Array(header.utf8)
            + [UInt8](repeating: 1, count: data)
    }

    static func tensor(_ shape: String, _ offsets: String, type: String = "F32") -> String {
        #"{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}"#
    }

    func fault(_ bytes: [UInt8]) -> SafetensorsFault? {
        let folder = TemporaryFolder()
        do {
            _ = try SafetensorsFile(folder.write("a", bytes))
        } catch CheckpointError.safetensors(_, let fault) {
            return fault
        } catch {
            Issue.record("\(error)")
        }
        return nil
    }

    @Test("a header that is no JSON object of tensors is refused")
    func noJSON() {
        for header in [
            "", "[]", " {}", "{", #"{"a":1}"#, #"{"a":{"dtype":"F32"}}"#,
            #"{"__metadata__":{"a":1}}"#,
            #"{"a":\#(Self.tensor("[2.5]", "[0,8]"))}"#,
            #"{"a":\#(Self.tensor("[99999999999999999999]", "[0,8]"))}"#,
            String(repeating: #"{"a":"#, count: 5000),
        ] {
            #expect(fault(Self.file(header)) == .headerNotJSON, "\(header.prefix(60))")
        }
    }

    @Test("shapes and ranges that do not fit each other or the file are refused by name")
    func shapesAndRanges() {
        func one(_ shape: String, _ offsets: String, type: String = "F32") -> SafetensorsFault? {
            fault(Self.file(#"{"a":\#(Self.tensor(shape, offsets, type: type))}"#))
        }
        #expect(one("[2]", "[0,8]") == nil)
        #expect(one("[-2]", "[0,8]") == .shape(tensor: "a"))
        #expect(one("[3]", "[0,8]") == .shape(tensor: "a"))
        #expect(one("[4611686018427387904,4]", "[0,0]") == .shape(tensor: "a"))
        #expect(one("[0,4611686018427387904,4]", "[0,0]") == .trailingBytes(8))
        #expect(one("[2]", "[8,0]") == .range(tensor: "a"))
        #expect(one("[2]", "[-8,0]") == .range(tensor: "a"))
        #expect(one("[2]", "[0,8,8]") == .range(tensor: "a"))
        #expect(one("[3]", "[0,12]") == .range(tensor: "a"))
        #expect(one("[1]", "[4,8]") == .gapOrOverlap(tensor: "a"))
        #expect(one("[1]", "[0,4]") == .trailingBytes(4))
        #expect(one("[2]", "[0,8]", type: "Q4") == .unknownType(tensor: "a", type: "Q4"))
        let pair = #"{"b":\#(Self.tensor("[1]", "[0,4]")),"a":\#(Self.tensor("[2]", "[0,8]"))}"#
        #expect(fault(Self.file(pair)) == .gapOrOverlap(tensor: "a"))
    }

    @Test("a length beyond the file or the format's limit is refused before anything is read")
    func headerLength() {
        let folder = TemporaryFolder()
        for length: UInt64 in [100_000_001, .max, 1 << 63] {
            #expect(fault(Self.file("{}", length: length)) == .headerLength(length))
        }
        let path = folder.write("a", Self.file("{}", data: 0, length: 50))
        #expect(throws: CheckpointError.cutShort(path: path, expected: 58, found: 10)) {
            try SafetensorsFile(path)
        }
        let short = folder.write("b", [1, 2, 3])
        #expect(throws: CheckpointError.cutShort(path: short, expected: 8, found: 3)) {
            try SafetensorsFile(short)
        }
        #expect(throws: CheckpointError.io(path: folder("c"), operation: .open, code: 2)) {
            try SafetensorsFile(folder("c"))
        }
        #expect(throws: CheckpointError.io(path: folder.path, operation: .open, code: 21)) {
            try SafetensorsFile(folder.path)
        }
    }
}
