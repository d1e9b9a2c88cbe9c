/// The way in which a process ended.
package enum ExitStatus: Hashable, Codable, Sendable {
    case code(Int32)
    case signal(Int32)

    /// The code of a process that the system has refused something (CONTRACT).
    package static let refused: Int32 = 71
}
