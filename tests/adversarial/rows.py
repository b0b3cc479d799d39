"""What people try, and the tests that prove what comes of it.

`LATER` are rows about parts that are not there yet.
"""

from typing import Final

HERE: Final = "tests/adversarial/"

ROWS: Final[dict[str, tuple[str, ...]]] = {
    "orders to the judge in a text": (
        HERE + "test_injection.py::test_orders_stand_in_fenced_data_and_change_no_verdict",
        HERE + "test_needs_model.py::test_orders_change_no_verdict",
        "tests/models/test_fence.py::test_no_text_leaves_its_fence",
        "tests/moderation/test_judge.py::test_what_members_wrote_travels_in_parts_alone_and_every_question_has_a_nonce_of_its_own",
    ),
    "orders in file names, metadata, comments and annotations": (
        HERE + "test_injection.py::test_what_files_say_of_themselves_are_texts_with_a_role",
        HERE + "test_pictures.py::test_what_the_metadata_says_is_removed",
        HERE + "test_pictures.py::test_a_packed_comment_that_explodes_costs_little_and_hides_nothing",
        HERE + "test_pictures.py::test_a_file_name_is_judged",
        HERE + "test_documents.py::test_what_a_file_hides_is_removed",
        "tests/media/test_images.py::test_metadata_is_cut_with_a_gap",
    ),
    "alt text": ("tests/discord_side/receiving/test_parse.py::test_what_stands_in_letters_beside_a_picture_is_judged",),
    "a forged answer of the judge": (
        HERE + "test_injection.py::test_an_answer_that_follows_orders_is_not_believed",
        HERE + "test_injection.py::test_each_question_has_a_nonce_that_nobody_can_know",
        HERE + "test_injection.py::test_no_field_of_an_answer_could_become_an_action",
        "tests/moderation/test_fail_safe.py::test_a_judge_that_obeys_an_injected_instruction_still_has_to_answer_in_full",
    ),
    "letters that look like others or are not seen": (
        HERE + "test_disguise.py::test_a_disguised_text_is_removed",
        HERE + "test_disguise.py::test_ten_thousand_combining_marks_end_quickly_and_hide_nothing",
        "tests/moderation/test_folding.py::test_a_disguised_text_is_read_as_people_read_it",
    ),
    "leetspeak": (HERE + "test_needs_model.py::test_leetspeak_is_recalled_nearly_as_well_as_plain_text",),
    "harmless words that sound harmful": (HERE + "test_needs_model.py::test_harmless_texts_are_allowed",),
    "text in a picture, turned or mirrored": (HERE + "test_pictures.py::test_a_code_is_read_however_it_lies",),
    "one frame of many": (HERE + "test_pictures.py::test_the_one_picture_that_matters_is_found",),
    "more scenes than are judged, transparent frames": (
        "tests/media/test_images.py::test_more_scenes_than_are_judged_leave_a_gap",
        "tests/media/test_images.py::test_a_text_that_comes_up_in_one_transparent_frame_is_seen",
    ),
    "several pictures in one file": (
        HERE + "test_pictures.py::test_the_one_picture_that_matters_is_found",
        "tests/media/test_images.py::test_the_default_picture_of_an_animated_png_is_looked_at_with_the_animation",
        "tests/media/test_images.py::test_an_animated_avif_is_looked_through",
    ),
    "tiny, long and huge pictures": (
        HERE + "test_pictures.py::test_a_tiny_picture_is_allowed",
        HERE + "test_pictures.py::test_a_code_at_the_end_of_a_strip_is_never_waved_through",
    ),
    "bombs": (HERE + "test_pictures.py::test_a_bomb_is_unknown_and_held_and_the_next_file_is_read",),
    "cut off or damaged": (
        HERE + "test_pictures.py::test_a_picture_that_is_cut_off_is_never_allowed",
        HERE + "test_documents.py::test_what_cannot_be_read_is_unknown_and_held",
        "tests/media/test_fuzz.py::test_damaged_files_end_in_typed_answers",
    ),
    "polyglots and wrong names": (
        HERE + "test_pictures.py::test_both_sides_of_a_polyglot_are_judged",
        "tests/media/test_kinds.py::test_what_is_claimed_is_compared_with_what_is_there",
    ),
    "drawings": (
        HERE + "test_pictures.py::test_a_drawing_is_read_and_one_that_reaches_outside_is_held",
        "tests/media/test_svg.py::test_what_reaches_outside_or_is_too_much_is_declined",
    ),
    "documents in pages": (
        HERE + "test_documents.py::test_a_document_that_would_run_something_is_flagged",
        HERE + "test_documents.py::test_page_7312_is_found_and_pages_that_nobody_saw_are_no_allow",
        "tests/media/test_pdf.py::test_ten_thousand_pages_end_quickly",
    ),
    "archives": (
        HERE + "test_documents.py::test_what_a_file_hides_is_removed",
        "tests/media/test_intake.py::test_of_files_in_files_only_so_many_levels_are_opened",
    ),
    "office files, pages, tables, notebooks, calendars": (HERE + "test_documents.py::test_what_a_file_hides_is_removed",),
    "kinds that are not read": (HERE + "test_pictures.py::test_what_is_of_no_kind_that_we_read_is_never_allowed",),
    "spoilers": ("tests/discord_side/receiving/test_parse.py::test_every_place_where_a_picture_hides_is_looked_into",),
    "edits, late files and late previews": (
        "tests/discord_side/receiving/test_messages.py::test_an_edit_is_another_event_of_the_same_message",
        "tests/discord_side/receiving/test_messages.py::test_the_picture_of_a_late_preview_makes_another_event",
        "tests/slack/receiving/test_messages.py::test_an_edit_of_words_or_files_is_an_event_of_its_own",
        "tests/slack/receiving/test_messages.py::test_a_reply_and_a_broadcast_stand_in_their_thread",
    ),
    "forwards, webhooks, stickers, polls, titles": (
        "tests/discord_side/receiving/test_messages.py::test_a_forward_is_judged_by_what_it_forwards",
        "tests/discord_side/receiving/test_ways_in.py::test_each_kind_of_message_is_heard",
        "tests/slack/receiving/test_messages.py::test_what_is_passed_on_is_part_of_the_message",
    ),
    "a changed copy": ("tests/moderation/test_known.py::test_a_denied_picture_is_known_in_its_published_modifications",),
    "the same file many times": (
        "tests/moderation/test_judge.py::test_the_same_content_is_asked_about_once_and_decided_anew",
        "tests/storage/test_memories.py::test_whoever_comes_meanwhile_waits_and_the_cost_counts_once",
    ),
    "split over messages": (HERE + "test_injection.py::test_what_is_split_over_messages_reaches_the_judge_together",),
    "a raid": ("tests/handlers/test_raids.py::test_the_copy_that_is_one_too_many_takes_all_of_them_out",),
    "addresses that lead inside": (
        "tests/app/test_links.py::test_no_way_of_writing_an_address_leads_inside",
        "tests/app/test_downloads.py::test_a_redirect_is_never_followed",
        "tests/app/test_downloads.py::test_no_token_goes_where_the_list_does_not_send_it",
    ),
    "where a picture was taken": (
        "tests/media/test_images.py::test_where_a_picture_was_taken_is_a_matter_of_privacy_and_stays_here",
    ),
    "orders in a picture that is remixed": (
        HERE + "test_remixes.py::test_what_a_source_says_is_judged_before_anything_is_spent",
        HERE + "test_remixes.py::test_orders_in_a_source_reach_neither_the_brief_nor_the_maker",
        HERE + "test_remixes.py::test_a_brief_that_obeys_its_picture_is_judged_and_costs_nothing",
    ),
    "a denied picture that is remixed": (HERE + "test_remixes.py::test_what_is_denied_is_not_remixed",),
    "a picture that is taken out once it was remixed": (
        "tests/handlers/test_remixes_gone.py::test_all_that_was_made_of_a_picture_goes_with_it_once",
        "tests/handlers/test_remixes_gone.py::test_what_is_just_being_made_of_it_is_cancelled_and_never_shown",
        "tests/end_to_end/test_remix_gone.py::test_what_was_made_of_a_photo_goes_with_it_in_every_channel",
    ),
    "gone before the verdict": (
        "tests/end_to_end/test_discord.py::test_a_message_that_its_author_deletes_before_the_verdict_is_a_case_all_the_same",
        "tests/discord_side/receiving/test_files.py::test_an_address_whose_time_is_over_is_asked_for_anew",
    ),
    "events twice or out of order": (
        "tests/discord_side/receiving/test_messages.py::test_the_same_dispatch_twice_or_late_is_one_event",
        "tests/slack/receiving/test_messages.py::test_a_delivery_that_comes_four_times_is_one_event",
    ),
    "other languages": (HERE + "test_needs_model.py::test_other_languages_are_judged_alike",),
}

LATER: Final = ("private numbers in extractions",)
