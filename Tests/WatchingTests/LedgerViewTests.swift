import Checkpoint
import Foundation
import TestKit
import Testing

@testable import Watching

@Suite struct LedgerViewTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func ledger(
        _ name: String, _ steps: ClosedRange<Int>, differsFrom: Int = .max, torn: String = ""
    ) throws -> LedgerView {
        let paths = RunPaths(folder.path + "/" + name)
        try makeFolders(paths.folder)
        var text: [UInt8] = []
        for step in steps {
            let other = step >= differsFrom ? "f" : "a"
            text += try LedgerEntry(
                step: step, generation: .init(epoch: 1, counter: 1),
                samples: [Array(0..<step % 40), [step]], total: "\(other)\(step)",
                state: "\(other)s\(step)", loss: 1, labels: 9, verdict: .committed
            ).line()
        }
        try Data(text + Array(torn.utf8)).write(to: URL(filePath: paths.ledger))
        return LedgerView(paths)
    }

    @Test func `every step is found by halving the file`() throws {
        let view = try ledger("a", 5...205, torn: #"{"check":"12"#)
        for step in 5...205 {
            #expect(
                view.bits(of: step) == .init(step: step, total: "a\(step)", state: "as\(step)"))
        }
        #expect(view.bits(of: 4) == nil)
        #expect(view.bits(of: 206) == nil)
        #expect(view.last?.step == 205)
    }

    @Test(arguments: [1, 2, 77, 199, 200])
    func `the first step that differs is found`(step: Int) throws {
        let one = try ledger("a", 1...200)
        let other = try ledger("b", 1...260, differsFrom: step)
        #expect(one.compare(with: other) == .differs(at: step))
        #expect(other.compare(with: one) == .differs(at: step))
    }

    @Test func `equal ledgers are equal through the last step that both have`() throws {
        let one = try ledger("a", 1...50)
        #expect(try one.compare(with: ledger("b", 20...80)) == .equal(through: 50))
        #expect(try one.compare(with: ledger("c", 60...80)) == .nothingInCommon)
        #expect(
            one.compare(with: LedgerView(RunPaths(folder.path + "/none"))) == .nothingInCommon)
    }
}
