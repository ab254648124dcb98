//! What can be done, and by whom unless an operator says otherwise: `X or OLD` where Glance had
//! another default before, which `enforce_new_defaults = false` keeps beside the new one.

use super::defaults;

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident $name:literal $rule:ident $(or $old:ident)?;)*) => {
        /// What a caller may want to do, each under the name that policies give it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[$doc])* $variant,)*
        }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in policies and messages.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Glance's default, in the language of policies.
            pub(super) const fn default_text(self) -> &'static str {
                match self {
                    $(Self::$variant => defaults::$rule,)*
                }
            }

            /// What Glance also admitted before, where it changed: its deprecated default.
            pub(super) fn deprecated_text(self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => [$(defaults::$old)?].first().copied(),)*
                }
            }
        }
    };
}

actions! {
    /// Create an image's record.
    AddImage "add_image" ADMIN_OR_PROJECT_MEMBER_CREATE_IMAGE or DEFAULT;
    /// Delete an image.
    DeleteImage "delete_image" ADMIN_OR_PROJECT_MEMBER or DEFAULT;
    /// Show an image.
    GetImage "get_image" ADMIN_OR_PROJECT_READER_GET_IMAGE or DEFAULT;
    /// List images.
    GetImages "get_images" ADMIN_OR_PROJECT_READER or DEFAULT;
    /// Change an image's record.
    ModifyImage "modify_image" ADMIN_OR_PROJECT_MEMBER or DEFAULT;
    /// Make an image public.
    PublicizeImage "publicize_image" ADMIN;
    /// Make an image visible to everybody who asks for it.
    CommunitizeImage "communitize_image" ADMIN_OR_PROJECT_MEMBER or DEFAULT;
    /// Read an image's bytes.
    DownloadImage "download_image" ADMIN_OR_PROJECT_MEMBER_DOWNLOAD_IMAGE or DEFAULT;
    /// Read an image's bytes from a chosen store.
    DownloadFromStore "download_from_store" ADMIN_OR_PROJECT_MEMBER_DOWNLOAD_IMAGE;
    /// Write an image's bytes.
    UploadImage "upload_image" ADMIN_OR_PROJECT_MEMBER or DEFAULT;
    /// Delete one of an image's locations.
    DeleteImageLocation "delete_image_location" ADMIN or DEFAULT;
    /// See an image's locations.
    GetImageLocation "get_image_location" ADMIN_OR_PROJECT_READER or DEFAULT;
    /// Change an image's locations.
    SetImageLocation "set_image_location" ADMIN_OR_PROJECT_MEMBER or DEFAULT;
    /// Give a new image its first location.
    AddImageLocation "add_image_location" SERVICE_OR_PROJECT_MEMBER;
    /// Read an image's locations as a service.
    FetchImageLocation "fetch_image_location" SERVICE;
    /// Offer an image to a project.
    AddMember "add_member" ADMIN_OR_PROJECT_MEMBER or DEFAULT;
    /// Take that offer back.
    DeleteMember "delete_member" ADMIN_OR_PROJECT_MEMBER or DEFAULT;
    /// Show one project that an image is shared with.
    GetMember "get_member" ADMIN_OR_PROJECT_READER_OR_SHARED_MEMBER or DEFAULT;
    /// List the projects that an image is shared with.
    GetMembers "get_members" ADMIN_OR_PROJECT_READER_OR_SHARED_MEMBER or DEFAULT;
    /// Accept or reject an offered image.
    ModifyMember "modify_member" ADMIN_OR_SHARED_MEMBER or DEFAULT;
    /// Work the image cache, by the older interface.
    ManageImageCache "manage_image_cache" ADMIN;
    /// Forbid downloads of an image.
    Deactivate "deactivate" ADMIN_OR_PROJECT_MEMBER or DEFAULT;
    /// Allow them again.
    Reactivate "reactivate" ADMIN_OR_PROJECT_MEMBER or DEFAULT;
    /// Copy an image to other stores.
    CopyImage "copy_image" ADMIN;
    /// Show a task.
    GetTask "get_task" DEFAULT or DEFAULT;
    /// List tasks.
    GetTasks "get_tasks" DEFAULT or DEFAULT;
    /// Start a task.
    AddTask "add_task" DEFAULT or DEFAULT;
    /// Change a task.
    ModifyTask "modify_task" DEFAULT;
    /// Use the tasks interface at all.
    TasksApiAccess "tasks_api_access" ADMIN;
    /// List stores with their details.
    StoresInfoDetail "stores_info_detail" ADMIN_OR_SERVICE_ROLE or ADMIN;
    /// Put an image into the cache.
    CacheImage "cache_image" ADMIN or MANAGE_IMAGE_CACHE;
    /// List the images in the cache.
    CacheList "cache_list" ADMIN or MANAGE_IMAGE_CACHE;
    /// Remove images from the cache.
    CacheDelete "cache_delete" ADMIN or MANAGE_IMAGE_CACHE;
    /// Remove stale files from the cache.
    CacheClean "cache_clean" ADMIN;
    /// Shrink the cache to its limit.
    CachePrune "cache_prune" ADMIN;
    /// List the nodes that hold an image in their cache.
    ListCachedNodes "list_cached_nodes" ADMIN;
    /// Show a namespace of metadata definitions.
    GetMetadefNamespace "get_metadef_namespace" ADMIN_OR_PROJECT_READER_GET_NAMESPACE or METADEF_DEFAULT;
    /// List namespaces.
    GetMetadefNamespaces "get_metadef_namespaces" ADMIN_OR_PROJECT_READER or METADEF_DEFAULT;
    /// Change a namespace.
    ModifyMetadefNamespace "modify_metadef_namespace" METADEF_ADMIN;
    /// Create a namespace.
    AddMetadefNamespace "add_metadef_namespace" METADEF_ADMIN;
    /// Delete a namespace.
    DeleteMetadefNamespace "delete_metadef_namespace" METADEF_ADMIN;
    /// Show an object of a namespace.
    GetMetadefObject "get_metadef_object" ADMIN_OR_PROJECT_READER_GET_NAMESPACE or METADEF_DEFAULT;
    /// List the objects of a namespace.
    GetMetadefObjects "get_metadef_objects" ADMIN_OR_PROJECT_READER_GET_NAMESPACE or METADEF_DEFAULT;
    /// Change an object of a namespace.
    ModifyMetadefObject "modify_metadef_object" METADEF_ADMIN;
    /// Create an object of a namespace.
    AddMetadefObject "add_metadef_object" METADEF_ADMIN;
    /// Delete an object of a namespace.
    DeleteMetadefObject "delete_metadef_object" METADEF_ADMIN;
    /// List resource types.
    ListMetadefResourceTypes "list_metadef_resource_types" ADMIN_OR_PROJECT_READER_GET_NAMESPACE or METADEF_DEFAULT;
    /// Show the resource types of a namespace.
    GetMetadefResourceType "get_metadef_resource_type" ADMIN_OR_PROJECT_READER_GET_NAMESPACE or METADEF_DEFAULT;
    /// Bind a resource type to a namespace.
    AddMetadefResourceTypeAssociation "add_metadef_resource_type_association" METADEF_ADMIN;
    /// Unbind a resource type from a namespace.
    RemoveMetadefResourceTypeAssociation "remove_metadef_resource_type_association" METADEF_ADMIN;
    /// Show a property of a namespace.
    GetMetadefProperty "get_metadef_property" ADMIN_OR_PROJECT_READER_GET_NAMESPACE or METADEF_DEFAULT;
    /// List the properties of a namespace.
    GetMetadefProperties "get_metadef_properties" ADMIN_OR_PROJECT_READER_GET_NAMESPACE or METADEF_DEFAULT;
    /// Change a property of a namespace.
    ModifyMetadefProperty "modify_metadef_property" METADEF_ADMIN;
    /// Create a property of a namespace.
    AddMetadefProperty "add_metadef_property" METADEF_ADMIN;
    /// Delete a property of a namespace.
    RemoveMetadefProperty "remove_metadef_property" METADEF_ADMIN;
    /// Show a tag of a namespace.
    GetMetadefTag "get_metadef_tag" ADMIN_OR_PROJECT_READER_GET_NAMESPACE or METADEF_DEFAULT;
    /// List the tags of a namespace.
    GetMetadefTags "get_metadef_tags" ADMIN_OR_PROJECT_READER_GET_NAMESPACE or METADEF_DEFAULT;
    /// Change a tag of a namespace.
    ModifyMetadefTag "modify_metadef_tag" METADEF_ADMIN;
    /// Create a tag of a namespace.
    AddMetadefTag "add_metadef_tag" METADEF_ADMIN;
    /// Create many tags of a namespace.
    AddMetadefTags "add_metadef_tags" METADEF_ADMIN;
    /// Delete a tag of a namespace.
    DeleteMetadefTag "delete_metadef_tag" METADEF_ADMIN;
    /// Delete all tags of a namespace.
    DeleteMetadefTags "delete_metadef_tags" METADEF_ADMIN;
}
