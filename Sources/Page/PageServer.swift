import Checkpoint
import FlyingFox
import FlyingSocks
import Foundation

/// Serves the page: its document, what it asks for, and the stream of what is new. Nothing can be
/// changed through it.
package final class PageServer: Sendable {
    /// The address is taken, or not this host's.
    package struct NotListening: Error, Sendable {
        /// The system's words.
        package let reason: String
    }

    private let desk: PageDesk
    private let token: PageToken
    private let address: PageAddress
    private let server: HTTPServer

    /// Throws: `NotListening` for an address that is none.
    package init(_ desk: PageDesk, at address: PageAddress, token: PageToken) throws(NotListening) {
        self.desk = desk
        self.address = address
        self.token = token
        let answer = Answers(desk: desk, token: token, bound: address.host)
        let handler = ClosureHTTPHandler { request in await answer.answer(request) }
        do {
            server =
                address.host.contains(":")
                ? HTTPServer(
                    address: try .inet6(ip6: address.host, port: UInt16(address.port)),
                    logger: .disabled, handler: handler)
                : HTTPServer(
                    address: try .inet(ip4: address.host, port: UInt16(address.port)),
                    logger: .disabled, handler: handler)
        } catch {
            throw NotListening(reason: "\(error)")
        }
    }

    /// Serves until the task is cancelled.
    ///
    /// - Parameter listening: is told where, once that is known.
    package func run(listening: @escaping @Sendable (PageAddress) -> Void) async throws {
        let waiter = Task { [server, address] in
            try await server.waitUntilListening(timeout: 10)
            var bound = address
            switch await server.listeningAddress {
            case .ip4(_, let port), .ip6(_, let port): bound.port = Int(port)
            default: break
            }
            listening(bound)
        }
        defer { waiter.cancel() }
        do {
            try await server.run()
        } catch let error as SocketError {
            throw NotListening(reason: Self.words(error))
        }
    }

    /// Ends it.
    package func stop() async { await server.stop(timeout: 1) }

    private static func words(_ error: SocketError) -> String {
        if case .failed(_, let code, _) = error { return String(cString: strerror(code)) }
        return "\(error)"
    }
}

/// What a request gets.
private struct Answers: Sendable {
    let desk: PageDesk
    let token: PageToken
    let bound: String

    func answer(_ request: HTTPRequest) async -> HTTPResponse {
        guard PageHost.isOurs(request.headers[.host], bound: bound) else {
            return text(
                .forbidden, "this page is asked for by address or as localhost, not by that name")
        }
        switch (request.method, request.path) {
        case (.GET, "/"), (.HEAD, "/"):
            return response(.ok, PageText.html, "text/html; charset=utf-8")
        case (.POST, "/session"): return session(request)
        case (.GET, let path):
            guard isLetIn(request) else {
                return text(.unauthorized, "the link with the token is missing")
            }
            return await answer(path, request)
        default: return text(.methodNotAllowed, "this page can only be read")
        }
    }

    private func answer(_ path: String, _ request: HTTPRequest) async -> HTTPResponse {
        func number(_ name: String) -> Double? { request.query[name].flatMap(Double.init) }
        func whole(_ name: String) -> Int? { request.query[name].flatMap(Int.init) }
        let run = whole("run") ?? 0
        switch path {
        case "/start": return json(desk.start())
        case "/stream": return stream(request)
        case "/metrics":
            return response(
                .ok, Data(desk.figures().utf8), "text/plain; version=0.0.4; charset=utf-8")
        case "/series":
            let (from, to) = (max(1, whole("from") ?? 1), whole("to") ?? .max)
            guard from <= to,
                let series = desk.stretch(run, from...to, points: max(1, whole("points") ?? 1000))
            else { return text(.notFound, "no such run or steps") }
            return json(series)
        case "/held": return desk.held(run).map(json) ?? text(.notFound, "no such run")
        case "/timeline":
            guard let from = number("from"), let to = number("to"), from < to, to - from <= 3600
            else { return text(.badRequest, "from and to are seconds, an hour apart at most") }
            return json(desk.timeline(from: from, to: to))
        case "/bits":
            guard let words = desk.comparison(with: run) else {
                return text(.notFound, "no such run")
            }
            return json(["comparison": words].page)
        default: return text(.notFound, "there is no \(path)")
        }
    }

    // MARK: who is let in

    /// A cookie is kept for each port: browsers do not tell ports apart.
    private func cookie(_ request: HTTPRequest) -> String {
        let port = request.headers[.host]?.split(separator: ":").last.flatMap { Int($0) } ?? 80
        return "dtrain-page-\(port)"
    }

    private func isLetIn(_ request: HTTPRequest) -> Bool {
        if let bearer = bearer(request) { return token.isToken(bearer) }
        let name = cookie(request) + "="
        let cookies = (request.headers[.cookie] ?? "").split(separator: ";").map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        return cookies.contains {
            $0.hasPrefix(name) && token.isSession(String($0.dropFirst(name.count)))
        }
    }

    private func bearer(_ request: HTTPRequest) -> String? {
        guard let words = request.headers[.authorization]?.split(separator: " "),
            words.count == 2, words[0].lowercased() == "bearer"
        else { return nil }
        return String(words[1])
    }

    private func session(_ request: HTTPRequest) -> HTTPResponse {
        guard let bearer = bearer(request), token.isToken(bearer) else {
            return text(.unauthorized, "that is not this page's token")
        }
        var response = response(.noContent, Data(), "text/plain")
        response.headers[.setCookie] =
            "\(cookie(request))=\(token.session); Path=/; HttpOnly; SameSite=Strict"
        return response
    }

    // MARK: forms

    private func stream(_ request: HTTPRequest) -> HTTPResponse {
        let seen = request.headers[HTTPHeader("Last-Event-ID")] ?? request.query["after"] ?? ""
        let parts = seen.split(separator: "-")
        // Who comes from another process's messages has missed all of this one's.
        let isSame = parts.count == 2 && parts[0] == desk.feed.boot
        let after = isSame ? Int(parts[1]) ?? -1 : -1
        guard let stream = PageStream(desk.feed, after: after) else {
            return text(.serviceUnavailable, "\(PageFeed.mostReaders) readers are there already")
        }
        var response = response(.ok, Data(), "text/event-stream")
        response.payload = .httpBody(HTTPBodySequence(from: stream))
        return response
    }

    private func json(_ bytes: [UInt8]) -> HTTPResponse {
        response(.ok, Data(bytes), "application/json")
    }

    private func text(_ code: HTTPStatusCode, _ text: String) -> HTTPResponse {
        response(code, Data((text + "\n").utf8), "text/plain; charset=utf-8")
    }

    private func response(_ code: HTTPStatusCode, _ body: Data, _ type: String) -> HTTPResponse {
        HTTPResponse(
            statusCode: code,
            headers: [
                .contentType: type, .cacheControl: "no-store",
                HTTPHeader("Content-Security-Policy"): PageText.policy,
                HTTPHeader("X-Content-Type-Options"): "nosniff",
                HTTPHeader("X-Frame-Options"): "DENY",
                HTTPHeader("Referrer-Policy"): "no-referrer",
                HTTPHeader("Cross-Origin-Opener-Policy"): "same-origin",
                HTTPHeader("Cross-Origin-Resource-Policy"): "same-origin",
            ],
            body: body)
    }
}
