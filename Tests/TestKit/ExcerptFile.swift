import Foundation
import Text

/// The first pairs of the embedded text, as a file beside the built program: a run that is resumed
/// wants its text under the same path.
enum ExcerptFile {
    /// Made when it is asked for first.
    static let path: String = {
        do {
            let url = try Program().executable.deletingLastPathComponent()
                .appendingPathComponent("cluster-tests.tsv")
            let corpus = try Corpus.embedded()
            let pairs = corpus.training.prefix(580) + corpus.heldOut.prefix(20)
            let text = Data(pairs.map { "\($0.source)\t\($0.target)\n" }.joined().utf8)
            if (try? Data(contentsOf: url)) != text { try text.write(to: url, options: .atomic) }
            return url.path
        } catch {
            preconditionFailure("the excerpt of the embedded text: \(error)")
        }
    }()
}
