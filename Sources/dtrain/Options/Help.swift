import ArgumentParser
import Runtime

/// The help of a run's setting: `text` with the default from the one table.
func about(_ setting: Setting, _ text: String, _ value: String) -> ArgumentHelp {
    let shown = setting.defaultText.map { " (default: \($0))" } ?? ""
    return ArgumentHelp("\(text)\(shown)", valueName: value)
}
