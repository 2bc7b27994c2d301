/// The rules that `--rm-type` may name.
pub(crate) const RULES: [&str; 1] = ["deepscaler"];

/// 1 when the last `\boxed{...}` after the thinking part holds the label, else 0. Without a closed thinking part there
/// is no answer.
pub(crate) fn reward(response: &str, label: &str) -> f64 {
    let answer = || {
        let (_, solution) = response.rsplit_once("</think>")?;
        let (_, boxed) = solution.rsplit_once("\\boxed{")?;
        boxed.split_once('}').map(|(answer, _)| answer.trim())
    };
    f64::from(answer().is_some_and(|answer| answer == label.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_boxed_answer_after_thinking_counts() {
        assert_eq!(reward("7+5=12</think>\\boxed{12}", "12"), 1.0);
        assert_eq!(reward("</think>\\boxed{11}\\boxed{ 12 }<eos>", "12"), 1.0);
        for wrong in ["\\boxed{12}", "\\boxed{12}</think>", "</think>12", "</think>\\boxed{12", "</think>\\boxed{012}"]
        {
            assert_eq!(reward(wrong, "12"), 0.0, "{wrong}");
        }
    }
}
