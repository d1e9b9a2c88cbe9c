import Parameters
import Ring

/// A frame of the ring whose two checksums are right, to reach what comes after them.
package func mendedFrame(_ frame: [UInt8]) -> [UInt8] {
    guard frame.count >= FrameHeader.byteCount else { return frame }
    var frame = frame
    func put(_ value: UInt64, _ offset: Int) {
        for index in 0..<8 {
            frame[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
        }
    }
    if frame.count > FrameHeader.byteCount {
        let digest = frame[FrameHeader.byteCount...].withUnsafeBytes { FastDigest(block: $0) }
        put(digest.low, 64)
        put(digest.high, 72)
    }
    put(frame[8..<FrameHeader.byteCount].withUnsafeBytes { FastDigest(block: $0).low }, 0)
    return frame
}
