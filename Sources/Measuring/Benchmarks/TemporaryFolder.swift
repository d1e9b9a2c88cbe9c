import Foundation
import Resources
import Threads

/// A folder that goes when this does.
final class TemporaryFolder {
    let path: String
    private let passing: PassingFolder

    init() throws(POSIXFailure) {
        var template = Array((NSTemporaryDirectory() + "/dtrain-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else {
            throw POSIXFailure(call: "mkdtemp", code: errno)
        }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        passing = PassingFolder(path)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
