import Checkpoint
import Foundation
import Synchronization
import TestKit
import Testing

@testable import Page

/// A page that serves a folder in this process.
private final class Served: Sendable {
    let folder: TemporaryFolder
    let paths: RunPaths
    let desk: PageDesk
    let token: PageToken
    let port: Int
    private let task: Task<Void, any Error>

    init(events: String = "", metrics: String = "") async throws {
        folder = try TemporaryFolder()
        paths = RunPaths(folder.path + "/run")
        try makeFolders(paths.folder)
        try events.write(toFile: paths.events, atomically: false, encoding: .utf8)
        try metrics.write(toFile: paths.metrics, atomically: false, encoding: .utf8)
        desk = PageDesk([paths], software: "dtrain test")
        token = try PageToken(of: paths)
        _ = desk.look(at: 1_764_427_001)
        let address = PageAddress("127.0.0.1:0")!
        let server = try PageServer(desk, at: address, token: token)
        let (stream, told) = AsyncStream<Int>.makeStream()
        task = Task {
            try await server.run { told.yield($0.port) }
        }
        var found: Int?
        for await port in stream {
            found = port
            break
        }
        port = try #require(found)
    }

    deinit { task.cancel() }

    /// Sends a request as it stands; what comes until `until` is in it, or the other end closes.
    func ask(_ head: String, until: String? = nil) async throws -> String {
        try await aside { [port] in
            let socket = try LoopbackClient(port: port)
            try socket.send(head)
            return try socket.read(until: until)
        }
    }

    func get(_ path: String, _ headers: String...) async throws -> String {
        let lines =
            ["GET \(path) HTTP/1.1", "Host: 127.0.0.1:\(port)", "Connection: close"] + headers
        return try await ask(lines.joined(separator: "\r\n") + "\r\n\r\n")
    }

    var bearer: String { "Authorization: Bearer \(token.text)" }
}

/// Runs what blocks on a thread of its own: the server under test needs those that tasks share.
private func aside<Result: Sendable>(
    _ body: @escaping @Sendable () throws -> Result
) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread {
            continuation.resume(with: Swift.Result(catching: body))
        }
    }
}

/// A TCP connection with a deadline for every read.
private struct LoopbackClient: ~Copyable {
    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var time = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
    }

    deinit { close(descriptor) }

    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        let count = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        try #require(count == bytes.count)
    }

    func read(until: String?) throws -> String {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return text }
            text += String(decoding: buffer[..<count], as: UTF8.self)
            if let until, text.contains(until) { return text }
        }
    }
}

@Suite struct PageServerTests {
    static let joined =
        #"{"clock":10,"note":{"joined":{"host":"<b>h","name":"w1","processID":7,"threads":1,"waitingFor":0}},"number":1,"time":1764427000}"#
    static let saved =
        #"{"checkpoint":{"digest":"ab","path":"/run/checkpoints/3","step":3},"clock":11,"number":2,"time":1764427001}"#
    static let step =
        #"{"gradient_norm":2,"learning_rate":0.5,"loss":4.25,"nll":4,"step":1,"step_s":0.5,"tokens_per_s":300}"#

    private static func served() async throws -> Served {
        try await Served(events: joined + "\n", metrics: step + "\n")
    }

    @Test func `who has no token sees the document and nothing of the run`() async throws {
        let served = try await Self.served()
        let document = try await served.get("/")
        #expect(document.hasPrefix("HTTP/1.1 200"))
        #expect(document.contains("<!doctype html>"))
        for path in ["/start", "/stream", "/series", "/held", "/bits", "/timeline", "/other"] {
            let answer = try await served.get(path)
            #expect(answer.hasPrefix("HTTP/1.1 401"), "\(path)")
            #expect(!answer.contains("w1"))
        }
        let wrong = "Authorization: Bearer " + String(repeating: "0", count: 32)
        #expect(try await served.get("/start", wrong).hasPrefix("HTTP/1.1 401"))
        #expect(
            try await served.get("/start", "Cookie: dtrain-page-\(served.port)=").contains("401"))
    }

    @Test func `the token buys a cookie that scripts and other pages do not get`() async throws {
        let served = try await Self.served()
        func session(_ token: String) async throws -> String {
            try await served.ask(
                "POST /session HTTP/1.1\r\nHost: localhost:\(served.port)\r\nConnection: close\r\n"
                    + "Authorization: Bearer \(token)\r\n\r\n")
        }
        #expect(try await session("0000").hasPrefix("HTTP/1.1 401"))
        let answer = try await session(served.token.text)
        #expect(answer.hasPrefix("HTTP/1.1 204"))
        let cookie = try #require(
            answer.firstMatch(of: /Set-Cookie: (dtrain-page-\d+=[0-9a-f]+); (.*)/))
        #expect(cookie.2 == "Path=/; HttpOnly; SameSite=Strict")
        #expect(!answer.contains(served.token.text))
        let start = try await served.get("/start", "Cookie: a=b; \(cookie.1)")
        #expect(start.hasPrefix("HTTP/1.1 200"))
        #expect(start.contains(#""name":"w1""#))
        // Text of others stays text: it is JSON, and the page makes no markup of it.
        #expect(start.contains("Content-Type: application/json"))
    }

    @Test func `a name that leads here by another's wish is refused`() async throws {
        let served = try await Self.served()
        func status(_ host: String) async throws -> String {
            let answer = try await served.ask(
                "GET / HTTP/1.1\r\n\(host)Connection: close\r\n\(served.bearer)\r\n\r\n")
            return String(answer.dropFirst(9).prefix(3))
        }
        for host in [
            "evil.example", "localhost.evil.example", "evil.example:8080", "", "127.0.0.1.x",
        ] {
            #expect(try await status("Host: \(host)\r\n") == "403", "\(host)")
        }
        #expect(try await status("") == "403")
        for host in ["localhost", "LOCALHOST:9", "127.0.0.1:1", "[::1]:8080", "10.1.2.3"] {
            #expect(try await status("Host: \(host)\r\n") == "200", "\(host)")
        }
    }

    @Test func `nothing but this document's own script and style runs in it`() async throws {
        let answer = try await Self.served().get("/")
        let policy = try #require(answer.firstMatch(of: /Content-Security-Policy: (.*)/)).1
        #expect(policy.contains("default-src 'none'"))
        #expect(policy.contains("script-src 'sha256-"))
        #expect(!policy.contains("unsafe"))
        #expect(answer.contains("X-Content-Type-Options: nosniff"))
        #expect(answer.contains("Referrer-Policy: no-referrer"))
        let body = try #require(answer.range(of: "\r\n\r\n")).upperBound
        let page = answer[body...]
        // One document: nothing is fetched from outside, and no text is made markup.
        #expect(page.firstMatch(of: /(?:src|href)="(?!#|data:)/) == nil)
        #expect(
            page.firstMatch(of: /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/)
                == nil)
        #expect(page.firstMatch(of: /\ style="/) == nil)
        #expect(page.firstMatch(of: /\ on[a-z]+="/) == nil)
    }

    @Test func `nothing can be changed`() async throws {
        let served = try await Self.served()
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            let answer = try await served.ask(
                "\(method) /start HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                    + "\(served.bearer)\r\nContent-Length: 0\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 405"), "\(method)")
        }
    }

    @Test func `series come in blocks, and what is asked for wrongly is refused`() async throws {
        let served = try await Self.served()
        let series = try await served.get("/series?run=0&from=1&to=9&points=3", served.bearer)
        #expect(series.contains(#""each":1,"steps":[1],"loss":[4.25]"#))
        for path in [
            "/series?run=7", "/series?run=-1", "/series?from=9&to=1", "/bits?run=0", "/bits?run=9",
            "/held?run=3",
        ] {
            #expect(try await served.get(path, served.bearer).hasPrefix("HTTP/1.1 404"), "\(path)")
        }
        for path in ["/timeline", "/timeline?from=1&to=0", "/timeline?from=0&to=1e300"] {
            #expect(try await served.get(path, served.bearer).hasPrefix("HTTP/1.1 400"), "\(path)")
        }
        let past = try await served.get("/timeline?from=1764426999&to=1764427002", served.bearer)
        #expect(past.contains("worker w1 joined"))
    }

    @Test func `a stream goes on behind the last event that was seen, and says so where it cannot`()
        async throws
    {
        let served = try await Self.served()
        func stream(_ last: String) async throws -> String {
            try await served.ask(
                "GET /stream HTTP/1.1\r\nHost: localhost\r\n\(served.bearer)\r\n"
                    + "Last-Event-ID: \(last)\r\n\r\n", until: "step 3: saved")
        }
        let boot = served.desk.feed.boot
        let seen = served.desk.feed.last
        try (Self.joined + "\n" + Self.saved + "\n")
            .write(toFile: served.paths.events, atomically: false, encoding: .utf8)
        _ = served.desk.look(at: 1_764_427_002)
        let next = try await stream("\(boot)-\(seen)")
        #expect(next.contains("text/event-stream"))
        #expect(next.contains("id: \(boot)-\(seen + 1)\n"))
        #expect(!next.contains("worker w1 joined"))
        #expect(!next.contains("missed"))
        #expect(try await stream("\(boot)-0").contains("worker w1 joined"))
        let missed = try await served.ask(
            "GET /stream HTTP/1.1\r\nHost: localhost\r\n\(served.bearer)\r\n"
                + "Last-Event-ID: other-5\r\n\r\n", until: "missed")
        #expect(missed.contains(#"{"k":"missed"}"#))
    }

    @Test
    func `figures for Prometheus have a name, a kind and a help each, and buckets that add up`()
        async throws
    {
        let steps = (1...3).map {
            #"{"clock":\#($0),"number":\#($0 + 5),"step":{"compute_s":0.2,"epoch":1,"fold_s":0.1,"#
                + #""gradient_norm":2,"learning_rate":0.001,"loss":4.5,"nll":4,"skipped":false,"#
                + #""step":\#($0),"step_s":0.3,"tokens":200,"tokens_per_s":660,"wait_s":0.05,"workers":1},"#
                + #""time":1764427001}"# + "\n"
        }
        let served = try await Served(
            events: Self.joined.replacing("<b>h", with: #"a\"b"#) + "\n" + steps.joined())
        #expect(try await served.get("/metrics").hasPrefix("HTTP/1.1 401"))
        let answer = try await served.get("/metrics", served.bearer)
        let body = answer[try #require(answer.range(of: "\r\n\r\n")).upperBound...]
        var kinds: [String: String] = [:]
        var values: [String: Double] = [:]
        for line in body.split(separator: "\n") {
            if let type = line.wholeMatch(of: /# TYPE ([a-z_]+) (gauge|counter|histogram)/) {
                #expect(kinds[String(type.1)] == nil)
                kinds[String(type.1)] = String(type.2)
            } else if !line.hasPrefix("# HELP ") {
                let value = try #require(
                    line.wholeMatch(of: /([a-z_]+)(\{(?:[a-z]+="(?:[^"\\]|\\.)*",?)+\})? (\S+)/),
                    "\(line)")
                let family = String(value.1).replacing(/_(?:bucket|sum|count)$/, with: "")
                #expect(kinds[String(value.1)] != nil || kinds[family] == "histogram", "\(line)")
                if kinds[String(value.1)] == "counter" { #expect(value.1.hasSuffix("_total")) }
                values[String(value.1) + (value.2 ?? "")] = Double(value.3)
            }
        }
        #expect(values["dtrain_steps_total"] == 3)
        #expect(values["dtrain_tokens_total"] == 600)
        #expect(values["dtrain_loss_nats"] == 4.5)
        let name = "dtrain_step_phase_duration_seconds"
        #expect(values[name + #"_bucket{phase="compute",le="0.1"}"#] == 0)
        #expect(values[name + #"_bucket{phase="compute",le="0.25"}"#] == 3)
        #expect(values[name + #"_bucket{phase="compute",le="+Inf"}"#] == 3)
        #expect(values[name + #"_count{phase="compute"}"#] == 3)
    }

    @Test func `readers who read nothing hold up neither the desk nor other readers`() async throws
    {
        let served = try await Self.served()
        var idle: [Int32] = []
        defer { for descriptor in idle { close(descriptor) } }
        let (port, bearer) = (served.port, served.bearer)
        for _ in 0..<100 {
            let client = try await aside {
                let client = try Idle(port: port)
                try client.send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\(bearer)\r\n\r\n")
                return client
            }
            idle.append(client.descriptor)
        }
        var text = Self.joined + "\n"
        for round in 1...300 {
            text +=
                Self.saved.replacing(#""number":2"#, with: #""number":\#(round + 1)"#)
                .replacing("/run/checkpoints/3", with: String(repeating: "x", count: 20_000)) + "\n"
            try text.write(toFile: served.paths.events, atomically: false, encoding: .utf8)
            if round.isMultiple(of: 50) { _ = served.desk.look(at: 1_764_427_002) }
        }
        let start = ContinuousClock.now
        #expect(try await served.get("/start", served.bearer).hasPrefix("HTTP/1.1 200"))
        #expect(ContinuousClock.now - start < .seconds(10))
    }
}

/// A connection that is left alone.
private struct Idle {
    let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
    }

    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        let count = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        try #require(count == bytes.count)
    }
}

@Suite struct PageAccessTests {
    @Test func `the token is kept in a file for its owner alone, and is the same next time`() throws
    {
        let folder = try TemporaryFolder()
        let paths = RunPaths(folder.path)
        let token = try PageToken(of: paths)
        #expect(token.text.utf8.count == 32)
        let mode = try FileManager.default.attributesOfItem(atPath: paths.pageToken)[
            .posixPermissions]
        #expect((mode as? NSNumber)?.intValue == 0o600)
        #expect(try PageToken(of: paths).text == token.text)
        chmod(paths.pageToken, 0o644)
        #expect(throws: CheckpointError.exposed(path: paths.pageToken)) { try PageToken(of: paths) }
    }

    @Test func `a page is found by a port or a numeric address`() {
        for (text, shown) in [
            ("8080", "127.0.0.1:8080"), ("0", "127.0.0.1:0"), ("localhost:9", "127.0.0.1:9"),
            ("[::1]:8", "[::1]:8"), ("0.0.0.0:80", "0.0.0.0:80"),
        ] {
            #expect(PageAddress(text)?.text == shown)
        }
        for text in ["", "node1:80", "70000", "127.0.0.1", "127.0.0.1:", "1.2.3:4", "a b:3", "-1"] {
            #expect(PageAddress(text) == nil, "\(text)")
        }
        #expect(PageAddress("0.0.0.0:80")?.isLoopback == false)
        #expect(PageAddress("[::1]:80")?.isLoopback == true)
    }
}
