import Foundation

/// An error, or another value that has no sentence of its own, without the looks of source code.
///
/// What says itself in words is left as it is; of an enum's case the name's words remain and its
/// payload: `no memory, bytes 4096`.
package func plainWords(_ value: Any) -> String {
    if let error = value as? DecodingError { return error.words }
    if let error = value as? CocoaError {
        let path = error.filePath ?? error.url?.path
        let reason = (error.underlying as? POSIXError).map {
            String(cString: strerror($0.errorCode))
        }
        return (path.map { "\($0): " } ?? "") + (reason ?? error.localizedDescription)
    }
    if let said = value as? any CustomStringConvertible { return said.description }
    return String(describing: value)
        // `Module.Type.` before a case, and what wraps a value.
        .replacing(/\b(?:[A-Z]\w*\.)+/, with: "")
        .replacing("Optional(", with: "(")
        .replacing(/[a-z][A-Z]/) { "\($0.output.first!) \($0.output.last!.lowercased())" }
        .replacing("(", with: ", ")
        .replacing(/[\])]/, with: "")
        .replacing(": ", with: " ")
        .replacing(/[\["]/, with: "")
}

extension POSIXError {
    fileprivate var errorCode: Int32 { code.rawValue }
}

extension DecodingError {
    fileprivate var words: String {
        switch self {
        case .typeMismatch(_, let context), .valueNotFound(_, let context),
            .dataCorrupted(let context):
            context.place + context.debugDescription
        case .keyNotFound(let key, let context): "\(context.place)\(key.stringValue) is missing"
        @unknown default: "it cannot be decoded"
        }
    }
}

extension DecodingError.Context {
    fileprivate var place: String {
        codingPath.isEmpty ? "" : codingPath.map(\.stringValue).joined(separator: ".") + ": "
    }
}
