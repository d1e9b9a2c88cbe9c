/// What can be wrong with bytes from outside. No case carries the bytes themselves.
package enum WireError: Error, Hashable, Codable, Sendable {
    /// The bytes end before a field that takes `needed` bytes; `available` are left.
    case truncated(field: String, needed: Int, available: Int)
    /// A count, or a number that may not be larger, is above its limit.
    case tooLong(field: String, count: Int, limit: Int)
    /// A field has a value that no sender writes; `value` is 0 where it is no integer.
    case unknownValue(field: String, value: Int)
    /// Text is not UTF-8.
    case malformedText(field: String)
    /// So many bytes follow the message.
    case trailingBytes(Int)
    /// Kind or body are not what the checksum was taken of.
    case checksum
    /// The bytes are no message of dtrain.
    case foreignMagic
    /// The message is of another protocol version.
    case otherProtocol(theirs: Int, ours: Int)
}
