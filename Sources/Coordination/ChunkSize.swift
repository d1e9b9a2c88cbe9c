import Wire

/// Bytes of numbers in a frame of a ring that goes over a network.
///
/// A vector of P bytes, a link that carries r bytes a second and takes d seconds there and back:
/// the first total is back after 2(W−1) chunks have gone one after the other, so that W workers
/// fold in about 2·P/r + 2(W−1)·c/r. With c = P / 16W the second part is less than a sixteenth of
/// the first. A sender has `credits` chunks under way at most; twice r·d keep the link busy, so
/// that c must not be less than 2·r·d / credits.
package enum ChunkSize {
    /// Frames cost processor time: smaller ones gain nothing on links of 10 Gbit/s.
    package static let least = 32 << 10
    /// The most bytes that a frame may have. With all credits under way, Linux lets a connection
    /// have that much by default (`net.ipv4.tcp_wmem`).
    package static let most = WireLimit.chunkBytes
    /// Frames of each kind under way on a link, as `RingConfiguration.credits`.
    package static let credits = 16

    /// - Parameters:
    ///   - vector: bytes.
    ///   - underWay: bandwidth × delay of the links, in bytes; 0 if unknown.
    package static func bytes(vector: Int, workers: Int, underWay: Double) -> Int {
        let fine = vector / (16 * max(1, workers))
        let filling = Int(min(Double(most), 2 * underWay / Double(credits)))
        let wanted = max(fine, filling, least)
        return min(most, (wanted + 4095) / 4096 * 4096)
    }
}
