import Checkpoint
import Foundation
import FuzzKit
import Ring
import Settings
import Text
import Wire

/// What libFuzzer calls with one input after another, chosen by what parts of a decoder the ones before
/// have reached; `cluster/fuzz --guided` builds and runs it. A trap is a finding, and so is a decoder
/// that reads its own words otherwise.
@_cdecl("LLVMFuzzerTestOneInput")
public func guided(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    decode(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

/// The decoder that the environment names. Checksums are put right, to reach what comes after them.
private let decode: @Sendable ([UInt8]) -> Void = {
    let name = ProcessInfo.processInfo.environment["DTRAIN_DECODER"] ?? ""
    guard let decoder = decoders[name] else {
        let names = decoders.keys.sorted().joined(separator: ", ")
        FileHandle.standardError.write(Data("guided: DTRAIN_DECODER is one of \(names)\n".utf8))
        exit(64)
    }
    return decoder
}()

private let decoders: [String: @Sendable ([UInt8]) -> Void] = [
    "workers": {
        guard let message = try? WorkerMessage(decoding: sealed($0)) else { return }
        let again = message.encoded
        precondition((try? WorkerMessage(decoding: again))?.encoded == again)
    },
    "coordinators": {
        guard let message = try? CoordinatorMessage(decoding: sealed($0)) else { return }
        let again = message.encoded
        precondition((try? CoordinatorMessage(decoding: again))?.encoded == again)
    },
    "strangers": {
        if let message = try? AdmissionMessage(decoding: sealed($0)) {
            precondition((try? AdmissionMessage(decoding: message.encoded)) == message)
        }
        if let message = try? StatusMessage(decoding: sealed($0)) {
            precondition((try? StatusMessage(decoding: message.encoded)) == message)
        }
    },
    "doctor": {
        if let message = try? DoctorMessage(decoding: sealed($0)) {
            precondition((try? DoctorMessage(decoding: message.encoded)) == message)
        }
        if let message = try? LinkMessage(decoding: sealed($0)) {
            precondition((try? LinkMessage(decoding: message.encoded)) == message)
        }
    },
    "frames": {
        let frame = mendedFrame($0)
        guard let header = try? frame.withUnsafeBytes({ try FrameHeader($0) }) else { return }
        precondition(header.frameBytes == frame.count)
    },
    "shards": { bytes in
        var words = [Int32](repeating: 0, count: bytes.count / 4)
        words.withUnsafeMutableBytes { $0.copyBytes(from: bytes.prefix($0.count)) }
        guard let shard = try? Shard(flattened: words) else { return }
        precondition(shard.flattened == words)
    },
    "safetensors": { _ = try? SafetensorsHeader(json: $0, dataBytes: 4096) },
    "manifests": { _ = try? CheckpointManifest($0, path: "") },
    "ledgers": {
        let check = "{\"check\":\"\(SHA256.digest([UInt8(ascii: "{")] + $0).prefix(16))\","
        _ = LedgerEntry.decode(Array(check.utf8) + $0)
    },
    "corpora": { _ = try? TextFile(name: "", bytes: $0).lines() },
    "tokenizers": {
        guard let tokenizer = try? Tokenizer(model: $0, file: "") else { return }
        _ = try? tokenizer.encode("the file ABA\u{2581}wé")
        _ = try? tokenizer.decode((0..<tokenizer.vocabulary).map { Int32($0) })
    },
    "yaml": {
        let text = String(decoding: $0, as: UTF8.self)
        guard let given = try? GivenSettings(yaml: text, path: ""),
            let run = try? RunConfiguration(given)
        else { return }
        precondition((try? RunConfiguration(GivenSettings(yaml: run.yaml, path: ""))) == run)
    },
]

/// A message of the kind that the first byte says.
private func sealed(_ bytes: [UInt8]) -> [UInt8] {
    Envelope.seal(kind: bytes.first ?? 0, body: Array(bytes.dropFirst()))
}
