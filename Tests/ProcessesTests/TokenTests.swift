import Checkpoint
import Foundation
import Messaging
import Processes
import TestKit
import Testing

@Suite("Tokens and keys")
struct TokenTests {
    let token: Token

    init() throws { token = try RunKeys.passing().token }

    @Test func `a token reads back, also in capitals and with space around it`() throws {
        let text = token.text
        #expect(text.utf8.count == 117 && text.hasPrefix("dtrain1-"))
        #expect(try Token(text) == token)
        #expect(try Token("  \(text)\r\n") == token)
        #expect(try Token("dtrain1-" + text.dropFirst(8).uppercased()) == token)
    }

    @Test func `a token shows nothing of itself but its coordinator`() {
        var dumped = ""
        dump(token, to: &dumped)
        let secret = token.workers.secret.map { String($0, radix: 16) }.joined()
        for text in ["\(token)", String(reflecting: token), dumped] {
            #expect(!text.contains(token.text.dropFirst(8)), "\(text)")
            #expect(!text.contains(secret), "\(text)")
        }
    }

    @Test func `every mistyped character and every exchange is noticed`() throws {
        let text = Array(token.text)
        let letters = Array("0123456789abcdefghjkmnpqrstvwxyz")
        for place in 8..<text.count {
            var wrong = text
            wrong[place] = letters[(letters.firstIndex(of: text[place])! + 1 + place % 31) % 32]
            #expect(throws: TokenError.mistyped) { try Token(String(wrong)) }
            guard place + 1 < text.count, text[place] != text[place + 1] else { continue }
            wrong = text
            wrong.swapAt(place, place + 1)
            #expect(throws: TokenError.mistyped) { try Token(String(wrong)) }
        }
    }

    @Test func `what is no token says what is wrong with it`() {
        let text = token.text
        #expect(throws: TokenError.noPrefix) { try Token("train1-" + text.dropFirst(8)) }
        #expect(throws: TokenError.newer(format: 2)) { try Token("dtrain2-" + text.dropFirst(8)) }
        #expect(throws: TokenError.noPrefix) { try Token("") }
        #expect(throws: TokenError.length(found: 108, expected: 109)) {
            try Token(String(text.dropLast()))
        }
        #expect(throws: TokenError.length(found: 110, expected: 109)) { try Token(text + "0") }
        #expect(throws: TokenError.letter(position: 3)) {
            try Token(text.prefix(10) + "u" + text.dropFirst(11))
        }
    }

    @Test func `anything at all is a token or an error`() throws {
        var dice = Dice(seed: 7)
        let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyzILOUé \n-")
        for _ in 0..<20_000 {
            var text = Array(token.text)
            for _ in 0..<Int.random(in: 1...3, using: &dice) {
                let place = Int.random(in: 0..<text.count, using: &dice)
                switch Int.random(in: 0..<3, using: &dice) {
                case 0: text[place] = alphabet.randomElement(using: &dice)!
                case 1: text.remove(at: place)
                default: text.insert(alphabet.randomElement(using: &dice)!, at: place)
                }
            }
            if let read = try? Token(String(text)) { #expect(read == token) }
        }
    }

    @Test func `a run's keys are made once and nobody else can read them`() throws {
        let folder = try TemporaryFolder()
        let paths = RunPaths(folder.path)
        let keys = try RunKeys.ofRun(in: folder.path)
        try keys.save(in: paths)
        for path in [paths.coordinatorKey, paths.token] {
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
            #expect(mode as? Int == 0o600, "\(path)")
        }
        let again = try RunKeys.ofRun(in: folder.path)
        #expect(again.token == keys.token && again.coordinator == keys.coordinator)
        try again.renewed().save(in: paths)
        let third = try RunKeys.ofRun(in: folder.path)
        #expect(third.coordinator == keys.coordinator && third.token != keys.token)
        #expect(try folder.entries.sorted() == ["coordinator.key", "token"])
    }

    @Test func `a key that everybody can read, or that is none, is refused`() throws {
        let folder = try TemporaryFolder()
        let paths = RunPaths(folder.path)
        try RunKeys.ofRun(in: folder.path).save(in: paths)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o644], ofItemAtPath: paths.token)
        #expect(throws: CheckpointError.exposed(path: paths.token)) {
            _ = try RunKeys.ofRun(in: folder.path)
        }
        try PrivateFile.write("0123", to: paths.coordinatorKey)
        #expect(throws: TokenError.noKey(path: paths.coordinatorKey)) {
            _ = try RunKeys.ofRun(in: folder.path)
        }
    }

    @Test func `a token of another coordinator in the folder is replaced`() throws {
        let folder = try TemporaryFolder()
        let paths = RunPaths(folder.path)
        let keys = try RunKeys.ofRun(in: folder.path)
        try keys.save(in: paths)
        try PrivateFile.write(token.text, to: paths.token)
        #expect(try RunKeys.ofRun(in: folder.path).token.coordinator == keys.token.coordinator)
    }
}
