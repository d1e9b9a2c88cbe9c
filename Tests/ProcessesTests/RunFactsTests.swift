import Processes
import Ring
import Testing

/// What a coordinator says of its run to `doctor`.
@Suite struct RunFactsTests {
    private func facts(_ workers: Int, shards: Int = 8, rest: String) throws -> RunFacts {
        let worker =
            #"{"name":"w","host":"h","hostKey":"k","ring":"r","kernel":"c","arithmetic":"a"}"#
        let json = """
            {"software": "1", "parameters": 6400, "shards": \(shards), \
            "workers": [\(Array(repeating: worker, count: workers).joined(separator: ","))]\(rest)}
            """
        return try #require(RunFacts(json: Array(json.utf8)))
    }

    @Test(arguments: [
        (WireFormat.f32, 4 * 6400), (.bf16, 2 * 6400), (.int8, 6400 + 100),
    ])
    func `a step's sums pass a link once between two workers, twice with more, as --wire has it`(
        wire: WireFormat, once: Int
    ) throws {
        let fold = #", "collective": "fold", "wire": "\#(wire.rawValue)""#
        #expect(try facts(1, rest: fold).linkBytes(more: 0) == 0)
        #expect(try facts(1, rest: fold).linkBytes(more: 1) == once)
        #expect(try facts(2, rest: fold).linkBytes(more: 0) == once)
        #expect(try facts(2, rest: fold).linkBytes(more: 1) == 2 * once)
        #expect(try facts(2, shards: 2, rest: fold).linkBytes(more: 1) == once, "one is spare")
        let ring = #", "collective": "ring", "wire": "\#(wire.rawValue)""#
        #expect(try facts(4, rest: ring).linkBytes(more: 0) == once * 6 / 4)
    }

    @Test func `a coordinator of a build that does not say so is understood for the rest`() throws {
        #expect(try facts(2, rest: "").linkBytes(more: 0) == nil)
    }
}
