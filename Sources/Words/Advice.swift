import Foundation
import Settings

/// The commands that messages recommend, quoted as they are to be typed. A test types them.
package struct Advice {
    /// `train` or `coordinator`.
    let command: String
    let folder: String
    let configuration: RunConfiguration

    /// - Parameter folder: where the run lies.
    package init(command: String, folder: String, configuration: RunConfiguration) {
        self.command = command
        self.folder = quoted(shown(folder))
        self.configuration = configuration
    }

    /// Goes on with the run, with some settings changed that may.
    package func resuming(_ changes: (Setting, String)...) -> String {
        line("--resume --run \(folder)", changes)
    }

    /// Begins another run like this one, with any settings changed.
    func beginning(_ changes: (Setting, String)...) -> String {
        line("--config \(folder)/configuration.yaml", changes)
    }

    /// A tenth of the run's learning rate, or the default where that is less.
    var lowerRate: String {
        let rate = min(
            configuration.optimizer.learningRate / 10,
            RunConfiguration.standard.optimizer.learningRate)
        return String(format: "%.3g", rate)
    }

    /// Goes on behind the end that was asked for.
    package var further: String {
        let length = configuration.length
        if let steps = length.steps { return resuming((.steps, String(2 * steps))) }
        if let epochs = length.epochs { return resuming((.epochs, String(2 * epochs))) }
        return resuming()
    }

    private func line(_ start: String, _ changes: [(Setting, String)]) -> String {
        let words = changes.map { " " + typed($0.0, $0.1) }.joined()
        return "'dtrain \(command) \(start)\(words)'"
    }
}

/// `--seed 1`, `--secure` or `--no-balance`: what a shell takes for the setting.
func typed(_ setting: Setting, _ value: String) -> String {
    guard case .flag = setting.row.kind else { return "\(setting.flag) \(quoted(value))" }
    return value == "true" ? setting.flag : "--no-\(setting.rawValue)"
}

/// `word` as a shell takes it for one.
package func quoted(_ word: String) -> String {
    let plain = word.utf8.allSatisfy { byte in
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || "_@%+=:,./-".utf8.contains(byte) || byte > 0x7F
    }
    guard !plain || word.isEmpty else { return word }
    return "\"" + word.replacing(/["$`\\]/) { "\\" + $0.output } + "\""
}
