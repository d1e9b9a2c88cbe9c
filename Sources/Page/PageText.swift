import CPage
import Checkpoint
import Foundation

/// The page as it is sent: one HTML document, with style and script in it.
enum PageText {
    static let html: Data = {
        let text = part(dtrain_page_html(), dtrain_page_html_size())
            .replacing("/*css*/", with: css).replacing("/*script*/", with: script)
        return Data(text.utf8)
    }()

    /// Nothing but this document's own style and script, and this server's data.
    static let policy =
        "default-src 'none'; connect-src 'self'; img-src data: blob:; "
        + "script-src 'sha256-\(hash(of: script))'; style-src 'sha256-\(hash(of: css))'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    private static let css = part(dtrain_page_css(), dtrain_page_css_size())
    private static let script = part(dtrain_page_script(), dtrain_page_script_size())

    private static func part(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> String {
        String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    /// SHA-256 in base 64, as the policy takes it.
    private static func hash(of text: String) -> String {
        let digits = Array(SHA256.digest(Array(text.utf8)))
        let bytes = stride(from: 0, to: digits.count, by: 2).map {
            UInt8(String(digits[$0...$0 + 1]), radix: 16)!
        }
        return Data(bytes).base64EncodedString()
    }
}
